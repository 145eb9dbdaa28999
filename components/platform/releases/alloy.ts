import { ALLOY_FOLDER, alloyConfig } from "../alloy-config.ts";
import { defineRelease } from "../release.ts";
import { releaseSettings, url } from "../release-settings.ts";
import { type Place, spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const REQUESTS = { cpu: 30, memory: 128 } as const satisfies Requests;
/** Of the reloader beside it, which has no value of ours. */
const RELOADER = { cpu: 10, memory: 50 } as const satisfies Requests;
const LOKI = "http://loki.loki.svc.cluster.local:3100/loki/api/v1/push";
const VOLUME = "position";

/** Logs of machines that are reserved for something count as well. */
const everywhere = (topology: Topology, place: Place) =>
  spotFor(topology, place, "every-node", [{ operator: "Exists", effect: "NoSchedule" }]);

/**
 * Alloy: logs of every machine's pods, to Loki. It takes the place of Fluent Bit here because it names the node's site
 * on each log: Fluent Bit's filter knows labels of pods alone.
 */
export const alloy = defineRelease({
  name: "alloy",
  section: "Observability",
  summary: "sends the logs of every machine's pods to Loki, with the site that they come from",
  home: "https://grafana.com/docs/alloy/latest/set-up/install/kubernetes/",
  kind: "chart",
  namespace: "alloy",
  // It reads /var/log of the machines, whose files belong to root.
  podSecurity: "privileged",
  timeoutSeconds: 600,
  schema: releaseSettings({
    url: url().optional().describe("Another Loki's address for logs; left out: the region's own"),
  }),
  needs: (settings) => (settings.url === undefined ? ["loki"] : []),
  values: (topology, settings) => ({
    // Its custom resource PodLogs is not used: what is read is stated below.
    crds: { create: false },
    alloy: {
      configMap: { content: alloyConfig(topology.region, settings.url ?? LOKI) },
      // On the machine, and not in the pod: after a restart it goes on where it was.
      storagePath: ALLOY_FOLDER,
      mounts: { varlog: true, extra: [{ name: VOLUME, mountPath: ALLOY_FOLDER }] },
      // It would send figures about the installation to its makers.
      enableReporting: false,
      resources: resourcesOf(REQUESTS, 384),
    },
    controller: {
      nodeSelector: everywhere(topology, settings.place).nodeSelector,
      tolerations: everywhere(topology, settings.place).tolerations,
      volumes: { extra: [{ name: VOLUME, hostPath: { path: ALLOY_FOLDER, type: "DirectoryOrCreate" } }] },
    },
  }),
  workloads: (topology, settings) => [
    {
      name: "alloy",
      replicas: "every-node",
      requests: { cpu: REQUESTS.cpu + RELOADER.cpu, memory: REQUESTS.memory + RELOADER.memory },
      spot: everywhere(topology, settings.place),
    },
  ],
});
