import { defineRelease } from "../release.ts";
import { flag, releaseSettings } from "../release-settings.ts";
import { RESTRICTED_CONTAINER } from "../security-context.ts";
import { spotFor } from "../spot.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const REQUESTS = { cpu: 10, memory: 64 } as const satisfies Requests;

const schema = releaseSettings({
  all: flag()
    .default(false)
    .describe("Whether every workload is restarted when a ConfigMap or Secret of it changes, not only annotated ones"),
});

/** Reloader: restarts what reads a ConfigMap or a Secret that changed. */
export const reloader = defineRelease({
  name: "reloader",
  section: "Policy and safety",
  summary: "restarts workloads when a ConfigMap or a Secret that they read changes",
  home: "https://github.com/stakater/Reloader",
  kind: "chart",
  namespace: "reloader",
  podSecurity: "restricted",
  timeoutSeconds: 300,
  schema,
  values: (topology, settings) => ({
    reloader: {
      autoReloadAll: settings.all,
      // Annotations on the pod template: Argo CD then sees no drift in the environment of containers.
      reloadStrategy: "annotations",
      readOnlyRootFileSystem: true,
      deployment: {
        nodeSelector: spotFor(topology, settings.place, "anywhere").nodeSelector,
        containerSecurityContext: RESTRICTED_CONTAINER,
        resources: resourcesOf(REQUESTS, 256),
      },
    },
  }),
  workloads: (topology, settings) => [
    { name: "reloader", replicas: 1, requests: REQUESTS, spot: spotFor(topology, settings.place, "anywhere") },
  ],
});
