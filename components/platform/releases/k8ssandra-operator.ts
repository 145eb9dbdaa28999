import type { z } from "zod";
import { defineRelease } from "../release.ts";
import { releaseSettings } from "../release-settings.ts";
import { spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";

/** Both operators and the clusters that they look after: they watch their own namespace alone. */
export const CASSANDRA_NAMESPACE = "k8ssandra-operator";

const REQUESTS = {
  "k8ssandra-operator": { cpu: 20, memory: 96 },
  "cass-operator": { cpu: 20, memory: 96 },
} as const satisfies Record<string, Requests>;

const schema = releaseSettings({});
type Settings = z.output<typeof schema>;

// Its webhooks stand before every change of a cluster, and it works on pods by their management API: near the clusters.
const spotOf = (topology: Topology, settings: Settings) => spotFor(topology, settings.place, "steady");

/** The K8ssandra operator, for Apache Cassandra. The cluster is the release `cassandra`. */
export const k8ssandraOperator = defineRelease({
  name: "k8ssandra-operator",
  section: "Databases and messaging",
  summary: "the operators that make a Cassandra cluster, back it up and repair it",
  home: "https://docs.k8ssandra.io/install/",
  kind: "chart",
  namespace: CASSANDRA_NAMESPACE,
  // Cassandra's pods, in the same namespace, do not give up all capabilities.
  podSecurity: "baseline",
  timeoutSeconds: 600,
  schema,
  needs: () => ["cert-manager"],
  values: (topology, settings) => {
    const { nodeSelector } = spotOf(topology, settings);
    return {
      // The CRDs are applied on their own, so that they stay: a job of the chart with rights on all of them is not needed.
      disableCrdUpgraderJob: true,
      // The chart of a release names the image of the day.
      image: { tag: "v1.32.4" },
      nodeSelector,
      resources: resourcesOf(REQUESTS["k8ssandra-operator"], 256),
      "cass-operator": {
        nodeSelector,
        resources: resourcesOf(REQUESTS["cass-operator"], 256),
        // cert-manager comes before it; the chart would look for it in a preview, too, when it is not there yet.
        disableCertManagerCheck: true,
      },
    };
  },
  workloads: (topology, settings) =>
    Object.entries(REQUESTS).map(([name, requests]) => ({
      name,
      replicas: 1,
      requests,
      spot: spotOf(topology, settings),
    })),
});
