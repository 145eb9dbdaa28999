import { defineRelease } from "../release.ts";
import { releaseSettings } from "../release-settings.ts";
import { RESTRICTED_CONTAINER, RESTRICTED_POD } from "../security-context.ts";
import { spotFor } from "../spot.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const REQUESTS = {
  operator: { cpu: 20, memory: 96 },
  metricServer: { cpu: 20, memory: 64 },
  webhooks: { cpu: 10, memory: 32 },
} as const satisfies Record<string, Requests>;
const PARTS = Object.keys(REQUESTS);

const same = (value: unknown) => Object.fromEntries(PARTS.map((part) => [part, value]));

/** KEDA: as many pods as there is work. */
export const keda = defineRelease({
  name: "keda",
  section: "Policy and safety",
  summary: "scales workloads by the length of a queue, a metric or the time of day, down to none",
  home: "https://keda.sh/docs/latest/deploy/",
  kind: "chart",
  namespace: "keda",
  podSecurity: "restricted",
  timeoutSeconds: 600,
  schema: releaseSettings({}),
  values: (topology, settings) => ({
    // The chart's default fetches each image again whenever a pod starts: over a home's line that is minutes.
    image: { pullPolicy: "IfNotPresent" },
    nodeSelector: spotFor(topology, settings.place, "anywhere").nodeSelector,
    podSecurityContext: same(RESTRICTED_POD),
    securityContext: same({ ...RESTRICTED_CONTAINER, readOnlyRootFilesystem: true }),
    resources: Object.fromEntries(
      Object.entries(REQUESTS).map(([part, requests]) => [part, resourcesOf(requests, 4 * requests.memory)]),
    ),
  }),
  workloads: (topology, settings) =>
    Object.entries(REQUESTS).map(([name, requests]) => ({
      name,
      replicas: 1,
      requests,
      spot: spotFor(topology, settings.place, "anywhere"),
    })),
});
