import type { z } from "zod";
import { defineRelease } from "../release.ts";
import { flag, releaseSettings, secretText } from "../release-settings.ts";
import { NODE_LABELS, type Spot, spotFor, type Work } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";

/** Each of the containers beside the driver waits for one kind of object. */
const SIDE: Requests = { cpu: 5, memory: 24 };
const DRIVER: Requests = { cpu: 10, memory: 32 };
const CONTROLLER_SIDES = 4;
const NODE_SIDES = 2;

const schema = releaseSettings({
  token: secretText().describe("API token of the project with the servers, which may read and write, encrypted"),
  default: flag().default(false).describe("Whether volumes that name no StorageClass get this one"),
  keep: flag().default(false).describe("Whether a volume stays in the project, and is paid for, when its claim goes"),
});
type Settings = z.output<typeof schema>;

const CLASS = "hcloud-volumes";
const TOKEN = "hcloud-token";

const hetznerSites = ({ sites }: Topology): string[] =>
  sites.filter(({ kind }) => kind === "hetzner").map(({ name }) => name);

/** Volumes of Hetzner can be attached to Hetzner's servers alone, in their location. */
function spots(topology: Topology, { place }: Settings): { controller: Spot; node: Spot } {
  const sites = hetznerSites(topology);
  const there = (work: Work, tolerations: Spot["tolerations"]): Spot => {
    const spot = spotFor(topology, place, work, tolerations);
    return { ...spot, pools: spot.pools.filter(({ site }) => sites.includes(site)) };
  };
  return {
    controller: there("anywhere", []),
    // What is attached has to stay so whatever else the machine is used for.
    node: there("every-node", [{ operator: "Exists" }]),
  };
}

/** Where volumes are made that name no location: where the controller is, as far as that is known before it runs. */
function locationOf(topology: Topology, settings: Settings): string | undefined {
  const [pool] = spots(topology, settings).node.pools;
  return topology.sites.find(({ name }) => name === pool?.site)?.locations?.[0];
}

const affinity = (topology: Topology) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [
        { matchExpressions: [{ key: NODE_LABELS.site, operator: "In", values: hetznerSites(topology) }] },
      ],
    },
  },
});

const times = ({ cpu, memory }: Requests, count: number): Requests => ({
  cpu: DRIVER.cpu + cpu * count,
  memory: DRIVER.memory + memory * count,
});

/** The CSI driver of Hetzner Cloud: volumes that are attached over the network. */
export const hcloudCsi = defineRelease({
  name: "hcloud-csi",
  section: "Storage",
  summary:
    "volumes of Hetzner Cloud, for pods on Hetzner's servers; they follow a pod to another server of its location",
  home: "https://github.com/hetznercloud/csi-driver/tree/main/docs/kubernetes",
  kind: "chart",
  namespace: "hcloud-csi",
  // It attaches and mounts block devices on the machine.
  podSecurity: "privileged",
  timeoutSeconds: 600,
  schema,
  values: (topology, settings) => {
    const { nodeSelector, tolerations } = spots(topology, settings).node;
    const location = locationOf(topology, settings);
    const placed = { nodeSelector, affinity: affinity(topology) };
    const [side, driver] = [resourcesOf(SIDE, 96), resourcesOf(DRIVER, 128)];
    return {
      controller: {
        // The chart only prefers Hetzner's servers. It would look for a server that is named as its node, which ours are not,
        // and then ask 169.254.169.254, which pods do not reach.
        // https://github.com/hetznercloud/csi-driver/blob/v2.22.1/internal/app/app.go
        ...placed,
        ...(location === undefined ? {} : { hcloudVolumeDefaultLocation: location }),
        hcloudToken: { existingSecret: { name: TOKEN, key: "token" } },
        resources: {
          csiAttacher: side,
          csiResizer: side,
          csiProvisioner: side,
          livenessProbe: side,
          hcloudCSIDriver: driver,
        },
      },
      node: {
        // The chart keeps it off machines by labels of Hetzner's cloud controller, which does not run here: it would delete
        // the nodes of other clouds.
        ...placed,
        // It learns which server it is on from 169.254.169.254 alone, whatever the node is called: the host reaches that, and
        // no pod does.
        hostNetwork: true,
        resources: { csiNodeDriverRegistrar: side, livenessProbe: side, hcloudCSIDriver: driver },
        tolerations,
      },
      storageClasses: [
        { name: CLASS, defaultStorageClass: settings.default, reclaimPolicy: settings.keep ? "Retain" : "Delete" },
      ],
    };
  },
  workloads: (topology, settings) => {
    const { controller, node } = spots(topology, settings);
    return [
      { name: "controller", replicas: 1, requests: times(SIDE, CONTROLLER_SIDES), spot: controller },
      { name: "node", replicas: "every-node", requests: times(SIDE, NODE_SIDES), spot: node },
    ];
  },
  podAnnotations: (podAnnotations) => ({ controller: { podAnnotations } }),
  secrets: (_topology, { token }) => [{ name: TOKEN, entries: { token: { text: token } } }],
  claims: (_topology, settings) => (settings.default ? { defaultStorageClass: CLASS } : {}),
  problems: (topology) =>
    hetznerSites(topology).length === 0
      ? [
          {
            path: "",
            found: "no site of Hetzner in this region",
            allowed: "Hetzner's volumes where there are Hetzner's servers",
            fix: "remove platform.hcloud-csi; openebs and longhorn have volumes on any machine",
          },
        ]
      : [],
});
