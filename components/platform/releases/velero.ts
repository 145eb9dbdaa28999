import { z } from "zod";
import { saying } from "../../strict-schema.ts";
import { bucketProblems } from "../bucket-problems.ts";
import { defineRelease } from "../release.ts";
import { bucket, days, flag, kubernetesName, PLATFORM_RULES, releaseSettings, schedule } from "../release-settings.ts";
import { spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { type Requests, resourcesOf } from "../workload.ts";

const REQUESTS = {
  server: { cpu: 50, memory: 128 },
  "node-agent": { cpu: 20, memory: 128 },
} as const satisfies Record<string, Requests>;
const SECRET = "velero-bucket";
/** The one that belongs to Velero 1.18. https://github.com/vmware-tanzu/velero-plugin-for-aws#compatibility */
const PLUGIN = "velero/velero-plugin-for-aws:v1.14.2";

const schema = releaseSettings({
  bucket: bucket().describe("Where backups go"),
  schedule: schedule().default("0 2 * * *").describe("When a backup of the cluster is taken, UTC"),
  retention: days().default(30).describe("Days after which a backup goes"),
  exclude: z
    .array(kubernetesName(), saying(PLATFORM_RULES.name))
    .default([])
    .describe("Namespaces that are left out, such as those of databases, which have backups of their own"),
  volumes: flag()
    .default(false)
    .describe("Whether files on volumes are saved, too, by an agent on each machine; not those of hostPath volumes"),
});
type Settings = z.output<typeof schema>;

const spots = (topology: Topology, { place }: Settings) => ({
  // A backup that is under way when its machine goes to sleep fails.
  server: spotFor(topology, place, "steady"),
  // A pod's volume is saved by the agent on the pod's own machine, wherever that is and whatever it is reserved for: without
  // one its backup fails. https://velero.io/docs/main/file-system-backup/
  agent: spotFor(topology, {}, "every-node", [{ operator: "Exists", effect: "NoSchedule" }]),
});

function location(region: string, { bucket: to }: Settings): Record<string, unknown> {
  return {
    name: "default",
    provider: "aws",
    default: true,
    bucket: to.bucket,
    // Two regions that share a bucket must not share a folder.
    prefix: to.prefix ?? `${region}/velero`,
    config: {
      region: to.region,
      ...(to.endpoint === undefined
        ? {}
        : // Buckets that are not AWS's own are not found by their name in the address, and know nothing of its checksums.
          { s3Url: to.endpoint, s3ForcePathStyle: "true", checksumAlgorithm: "" }),
    },
  };
}

function agentValues(topology: Topology, settings: Settings): Record<string, unknown> {
  if (!settings.volumes) return {};
  const { nodeSelector, tolerations } = spots(topology, settings).agent;
  return {
    deployNodeAgent: true,
    nodeAgent: {
      nodeSelector,
      tolerations,
      resources: resourcesOf(REQUESTS["node-agent"], 1024),
    },
  };
}

/** Velero: backups of what is in the cluster, to a bucket. */
export const velero = defineRelease({
  name: "velero",
  section: "Policy and safety",
  summary: "backups of the cluster's objects to a bucket, and of the files on volumes where you want it",
  home: "https://velero.io/docs/",
  kind: "chart",
  namespace: "velero",
  // The agent reads the volumes of all pods on its machine: hostPath, as root.
  podSecurity: "privileged",
  timeoutSeconds: 600,
  schema,
  values: (topology, settings) => ({
    // The CRDs are applied on their own; the chart's job for it needs another image and rights on all of them.
    upgradeCRDs: false,
    // The chart makes a Secret of its values.
    credentials: { existingSecret: SECRET },
    // The server has no way to a bucket of its own.
    initContainers: [
      {
        name: "velero-plugin-for-aws",
        image: PLUGIN,
        resources: resourcesOf({ cpu: 10, memory: 16 }, 128),
        volumeMounts: [{ mountPath: "/target", name: "plugins" }],
      },
    ],
    // No storage of this platform makes snapshots that Velero could keep.
    snapshotsEnabled: false,
    configuration: {
      backupStorageLocation: [location(topology.region, settings)],
      ...(settings.volumes ? { uploaderType: "kopia", defaultVolumesToFsBackup: true } : {}),
    },
    nodeSelector: spots(topology, settings).server.nodeSelector,
    resources: resourcesOf(REQUESTS.server, 512),
    ...agentValues(topology, settings),
    // The chart has no schedule.
    schedules: {
      cluster: {
        schedule: settings.schedule,
        template: {
          ttl: `${settings.retention * 24}h0m0s`,
          storageLocation: "default",
          snapshotVolumes: false,
          ...(settings.exclude.length === 0 ? {} : { excludedNamespaces: settings.exclude }),
        },
      },
    },
  }),
  workloads: (topology, settings) => {
    const { server, agent } = spots(topology, settings);
    return [
      { name: "server", replicas: 1, requests: REQUESTS.server, spot: server },
      ...(settings.volumes
        ? [{ name: "node-agent", replicas: "every-node" as const, requests: REQUESTS["node-agent"], spot: agent }]
        : []),
    ];
  },
  secrets: (_topology, { bucket: to }) => [
    {
      name: SECRET,
      entries: {
        cloud: {
          text: `[default]\naws_access_key_id=${to.accessKeyId}\naws_secret_access_key=${to.secretAccessKey}\n`,
        },
      },
    },
  ],
  problems: (_topology, settings) => bucketProblems("bucket", settings.bucket),
});
