import type { z } from "zod";
import { defineRelease } from "../release.ts";
import { releaseSettings, replicas } from "../release-settings.ts";
import { replicasIn, spotFor, spreadOverNodes } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const REQUESTS: Requests = { cpu: 50, memory: 128 };

const schema = releaseSettings({
  replicas: replicas().optional().describe("Replicas of the operator; left out: two where there are two machines"),
});
type Settings = z.output<typeof schema>;

function plan(topology: Topology, settings: Settings) {
  // It promotes a standby when a primary fails: over a line that is down it could not.
  const spot = spotFor(topology, settings.place, "steady");
  return { spot, replicas: settings.replicas ?? replicasIn(spot, 2) };
}

/** CloudNativePG: the operator of PostgreSQL clusters. The clusters are the release `postgres`. */
export const cloudnativePg = defineRelease({
  name: "cloudnative-pg",
  section: "Databases and messaging",
  summary: "the operator that makes PostgreSQL clusters and promotes a standby when a primary fails",
  home: "https://cloudnative-pg.io/docs/",
  kind: "chart",
  namespace: "cnpg-system",
  podSecurity: "restricted",
  timeoutSeconds: 600,
  schema,
  values: (topology, settings) => {
    const { spot, replicas: count } = plan(topology, settings);
    return {
      // The CRDs are applied on their own, so that they are upgraded and so that they stay.
      crds: { create: false },
      // Without the operator no standby is promoted, and its webhook refuses every change of a cluster.
      replicaCount: count,
      nodeSelector: spot.nodeSelector,
      topologySpreadConstraints: spreadOverNodes({
        "app.kubernetes.io/name": "cloudnative-pg",
        "app.kubernetes.io/instance": "cloudnative-pg",
      }),
      resources: resourcesOf(REQUESTS),
    };
  },
  workloads: (topology, settings) => {
    const { spot, replicas: count } = plan(topology, settings);
    return [{ name: "operator", replicas: count, requests: REQUESTS, spot }];
  },
});
