import { defineRelease } from "../release.ts";
import { flag, releaseSettings, replicas } from "../release-settings.ts";
import { replicasIn, type Spot, spotFor } from "../spot.ts";
import { statedValue } from "../stated-value.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const REQUESTS = {
  manager: { cpu: 50, memory: 128 },
  // One on each machine moves the data: 12 % of a small machine's two CPUs, as its makers have it.
  instances: { cpu: 240, memory: 256 },
} as const satisfies Record<string, Requests>;

const schema = releaseSettings({
  default: flag().default(false).describe("Whether volumes that name no StorageClass get this one"),
  replicas: replicas()
    .optional()
    .describe("Copies of each volume; left out: three, or as many as its place has machines"),
});
type Settings = { place: { site?: string | undefined; pool?: string | undefined }; replicas?: number | undefined };

/** All copies of a volume wait for each other, so all of them stand in one site. */
function plan(topology: Topology, settings: Settings): { spot: Spot; copies: number } {
  const spot = spotFor(topology, settings.place, "steady");
  return { spot, copies: settings.replicas ?? replicasIn(spot, 3) };
}

/** The form in which Longhorn's own settings name a selector: `key:value;key:value`. */
const selectorText = ({ nodeSelector }: Spot): string =>
  Object.entries(nodeSelector)
    .map(([key, value]) => `${key}:${value}`)
    .join(";");

/** Longhorn: volumes with copies on several machines of one site. */
export const longhorn = defineRelease({
  name: "longhorn",
  section: "Storage",
  summary: "volumes with a copy on several machines of one site; the machines need open-iscsi",
  home: "https://longhorn.io/docs/",
  kind: "chart",
  namespace: "longhorn-system",
  // It attaches block devices to machines. https://longhorn.io/docs/latest/deploy/install/#installation-requirements
  podSecurity: "privileged",
  timeoutSeconds: 900,
  schema,
  values: (topology, settings) => {
    const { spot, copies } = plan(topology, settings);
    const { nodeSelector } = spot;
    // Longhorn keeps one of each from being evicted while a volume is in use: where there is but one, its machine is never
    // drained. https://github.com/longhorn/longhorn-manager/blob/v1.12.1/controller/kubernetes_pdb_controller.go
    const sidecars = replicasIn(spot, 2);
    return {
      global: { nodeSelector },
      persistence: {
        defaultClass: settings.default,
        defaultClassReplicaCount: copies,
        // A copy where the pod runs spares half of the reads the way over the network.
        defaultDataLocality: "best-effort",
      },
      defaultSettings: {
        defaultReplicaCount: copies,
        // What Longhorn starts itself stays in the site as well; it does not read the chart's selector.
        ...(Object.keys(nodeSelector).length === 0 ? {} : { systemManagedComponentsNodeSelector: selectorText(spot) }),
        // Two copies on one machine are one.
        replicaSoftAntiAffinity: "false",
        // A drain waits for the last healthy copy to be somewhere else, and for nothing more.
        nodeDrainPolicy: "block-if-contains-last-replica",
        // A machine that is gone keeps its pods' volumes attached otherwise, until somebody deletes the pods.
        nodeDownPodDeletionPolicy: "delete-both-statefulset-and-deployment-pod",
        upgradeChecker: false,
      },
      longhornManager: { resources: resourcesOf(REQUESTS.manager, 512) },
      longhornUI: { replicas: 1 },
      csi: {
        attacherReplicaCount: sidecars,
        provisionerReplicaCount: sidecars,
        // They hold a lease and do nothing else, and nothing keeps them from going to another machine.
        resizerReplicaCount: 1,
        snapshotterReplicaCount: 1,
      },
    };
  },
  workloads: (topology, settings) => {
    const { spot, copies } = plan(topology, settings);
    return [
      { name: "manager", replicas: "every-node", requests: REQUESTS.manager, spot },
      { name: "instance-manager", replicas: "every-node", requests: REQUESTS.instances, spot },
      // The copies take no memory of their own: this is what guardrails compare with the sites.
      {
        name: "volumes",
        replicas: copies,
        requests: { cpu: 0, memory: 0 },
        spot,
        apart: true,
        keepsData: true,
        replication: "synchronous",
      },
    ];
  },
  claims: (_topology, settings) =>
    (statedValue(settings.values, "persistence", "defaultClass") ?? settings.default) === true
      ? { defaultStorageClass: "longhorn" }
      : {},
});
