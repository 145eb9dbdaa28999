import { defineRelease } from "../release.ts";
import { flag, releaseSettings } from "../release-settings.ts";
import { spotFor } from "../spot.ts";
import { statedValue } from "../stated-value.ts";
import { resourcesOf, type Requests } from "../workload.ts";
import { text } from "../../strict-schema.ts";

const REQUESTS = { cpu: 10, memory: 32 } as const satisfies Requests;
const CLASS = "openebs-hostpath";

const schema = releaseSettings({
  default: flag()
    .default(true)
    .describe("Whether volumes that name no StorageClass get this one; k3s's own must be disabled then"),
  folder: text(
    { allowed: "an absolute path of a folder on every machine", fix: "write it like /var/openebs/local" },
    (value) => /^\/[\w./-]+$/.test(value),
  )
    .default("/var/openebs/local")
    .describe("Folder on the machines that volumes are made in"),
});

/** OpenEBS: volumes that are folders of the machine that their pod runs on. */
export const openebs = defineRelease({
  name: "openebs",
  section: "Storage",
  summary: "volumes on the machine that a pod runs on, as fast as its disk and gone with it; the default StorageClass",
  home: "https://openebs.io/docs/user-guides/local-storage-user-guide/local-pv-hostpath/hostpath-overview",
  kind: "chart",
  namespace: "openebs",
  // Its helper pods make folders on the machines.
  podSecurity: "privileged",
  timeoutSeconds: 600,
  schema,
  values: (topology, settings) => ({
    // Every other engine wants disks, kernel modules or three more daemons on each machine.
    engines: {
      local: { lvm: { enabled: false }, zfs: { enabled: false } },
      replicated: { mayastor: { enabled: false } },
    },
    // Chart 4.3 and later bring log collection of their own.
    loki: { enabled: false },
    alloy: { enabled: false },
    // A folder has no snapshots.
    "openebs-crds": { csi: { volumeSnapshots: { enabled: false } } },
    // It takes Mayastor's volumes over; and its image is one that is no longer published.
    preUpgradeHook: { enabled: false },
    "localpv-provisioner": {
      localpv: {
        basePath: settings.folder,
        resources: resourcesOf(REQUESTS, 128),
        nodeSelector: spotFor(topology, settings.place, "anywhere").nodeSelector,
      },
      hostpathClass: { name: CLASS, isDefaultClass: settings.default },
      // It reports to its makers once a day.
      analytics: { enabled: false },
    },
  }),
  workloads: (topology, settings) => [
    {
      name: "localpv-provisioner",
      replicas: 1,
      requests: REQUESTS,
      spot: spotFor(topology, settings.place, "anywhere"),
    },
  ],
  claims: (_topology, settings) =>
    (statedValue(settings.values, "localpv-provisioner", "hostpathClass", "isDefaultClass") ?? settings.default) ===
    true
      ? { defaultStorageClass: CLASS }
      : {},
});
