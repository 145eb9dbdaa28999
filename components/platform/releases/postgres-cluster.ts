import { mergeValues } from "../../helm-values.ts";
import type { Manifest, SecretDefinition } from "../release.ts";
import type { Spot } from "../spot.ts";
import { type Requests, resourcesOf } from "../workload.ts";

/** The namespace of all clusters of a region. */
export const NAMESPACE = "databases";
/** Name that CloudNativePG knows its Barman Cloud plugin by. */
export const PLUGIN = "barman-cloud.cloudnative-pg.io";
const SIDECAR: Requests = { cpu: 20, memory: 96 };

/** Where the backups of a cluster go. */
export interface PostgresBackups {
  readonly bucket: string;
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly prefix?: string | undefined;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly schedule: string;
  readonly retention: number;
}

/** A PostgreSQL cluster as its settings say it. */
export interface PostgresCluster {
  readonly name: string;
  readonly instances: number;
  readonly version: string;
  /** GiB. */
  readonly size: number;
  readonly storageClass?: string | undefined;
  /** GiB. */
  readonly memory: number;
  readonly synchronous: boolean;
  readonly backups?: PostgresBackups | undefined;
  /** The cluster in the same place of the bucket that it begins as a copy of, and up to when. */
  readonly recover?: { readonly from: string; readonly until?: string | undefined } | undefined;
  /** Fields of the user's own, merged last. */
  readonly spec: Readonly<Record<string, unknown>>;
}

const ownRequests = ({ memory }: PostgresCluster): Requests => ({ cpu: 100, memory: memory * 1024 });

/** What a pod of a cluster asks for, the plugin's container beside PostgreSQL included. */
export function podRequests(cluster: PostgresCluster): Requests {
  const { cpu, memory } = ownRequests(cluster);
  return cluster.backups === undefined ? { cpu, memory } : { cpu: cpu + SIDECAR.cpu, memory: memory + SIDECAR.memory };
}

const secretName = (name: string): string => `${name}-backups`;
const KEYS = { id: "ACCESS_KEY_ID", secret: "ACCESS_SECRET_KEY", region: "REGION" } as const;

/** The Secret that a cluster's backups are written with. */
export const clusterSecret = ({ name, backups }: PostgresCluster): SecretDefinition[] =>
  backups === undefined
    ? []
    : [
        {
          name: secretName(name),
          // The operator reads a changed Secret again only if it has this label.
          labels: { "cnpg.io/reload": "true" },
          entries: {
            [KEYS.id]: { text: backups.accessKeyId },
            [KEYS.secret]: { text: backups.secretAccessKey },
            [KEYS.region]: { text: backups.region },
          },
        },
      ];

function objectStore(region: string, name: string, backups: PostgresBackups): Manifest {
  const from = (key: string) => ({ name: secretName(name), key });
  return {
    apiVersion: "barmancloud.cnpg.io/v1",
    kind: "ObjectStore",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      retentionPolicy: `${backups.retention}d`,
      configuration: {
        // The plugin adds the cluster's name. Two regions that share a bucket must not share a folder: it refuses one in use.
        destinationPath: `s3://${backups.bucket}/${backups.prefix ?? `${region}/postgres`}`,
        ...(backups.endpoint === undefined ? {} : { endpointURL: backups.endpoint }),
        s3Credentials: {
          accessKeyId: from(KEYS.id),
          secretAccessKey: from(KEYS.secret),
          region: from(KEYS.region),
        },
        wal: { compression: "gzip" },
        data: { compression: "gzip" },
      },
      instanceSidecarConfiguration: {
        // Buckets that are not AWS's own know nothing of the checksums that its library sends since 2025.
        // https://cloudnative-pg.io/plugin-barman-cloud/docs/object_stores/
        env: [
          { name: "AWS_REQUEST_CHECKSUM_CALCULATION", value: "when_required" },
          { name: "AWS_RESPONSE_CHECKSUM_VALIDATION", value: "when_required" },
        ],
        resources: resourcesOf(SIDECAR, 512),
      },
    },
  };
}

const scheduledBackup = (name: string, { schedule }: PostgresBackups): Manifest => ({
  apiVersion: "postgresql.cnpg.io/v1",
  kind: "ScheduledBackup",
  metadata: { name, namespace: NAMESPACE },
  spec: {
    // This schedule has six fields: it begins with seconds.
    schedule: `0 ${schedule.trim()}`,
    // Without a full backup there is nothing that logs could be put upon.
    immediate: true,
    backupOwnerReference: "self",
    cluster: { name },
    method: "plugin",
    pluginConfiguration: { name: PLUGIN },
  },
});

/** How a cluster begins that is brought back from backups: with what another one wrote to the same place. */
const recovery = ({ name, recover }: PostgresCluster): Record<string, unknown> =>
  recover === undefined
    ? {}
    : {
        bootstrap: {
          recovery: {
            source: recover.from,
            // Named, so that the operator gives the owner a password again: the one of the backup is not known here.
            database: "app",
            owner: "app",
            ...(recover.until === undefined ? {} : { recoveryTarget: { targetTime: recover.until } }),
          },
        },
        externalClusters: [
          {
            name: recover.from,
            plugin: { name: PLUGIN, parameters: { barmanObjectName: name, serverName: recover.from } },
          },
        ],
      };

function clusterSpec(cluster: PostgresCluster, spot: Spot): Record<string, unknown> {
  const { name, instances, version, size, storageClass, synchronous, backups } = cluster;
  const requests = ownRequests(cluster);
  return {
    instances,
    // Stated, for the operator's own default changes with the operator. Barman is in the plugin, not in this image.
    imageName: `ghcr.io/cloudnative-pg/postgresql:${version}-standard-trixie`,
    // With one instance there is none to switch to: a budget would hold up every drain of its machine.
    enablePDB: instances > 1,
    affinity: {
      enablePodAntiAffinity: true,
      topologyKey: "kubernetes.io/hostname",
      // Two instances on one machine are lost together.
      podAntiAffinityType: "required",
      nodeSelector: spot.nodeSelector,
    },
    storage: { size: `${size}Gi`, ...(storageClass === undefined ? {} : { storageClass }) },
    // The limit is what it asks for: PostgreSQL holds what it has, and must not be the one that is ended.
    resources: resourcesOf(requests, requests.memory),
    postgresql: {
      parameters: { shared_buffers: `${requests.memory / 4}MB` },
      // Any one standby confirms, so the slowest holds up nobody; writes wait while none can.
      ...(synchronous ? { synchronous: { method: "any", number: 1, dataDurability: "required" } } : {}),
    },
    ...(backups === undefined
      ? {}
      : { plugins: [{ name: PLUGIN, isWALArchiver: true, parameters: { barmanObjectName: name } }] }),
    ...recovery(cluster),
  };
}

const clusterObject = (cluster: PostgresCluster, spot: Spot): Manifest => ({
  apiVersion: "postgresql.cnpg.io/v1",
  kind: "Cluster",
  metadata: { name: cluster.name, namespace: NAMESPACE },
  spec: mergeValues(clusterSpec(cluster, spot), cluster.spec),
});

/** The objects of a cluster: where its backups go, itself, and when it is backed up. */
export const clusterObjects = (region: string, cluster: PostgresCluster, spot: Spot): Manifest[] => {
  const { name, backups } = cluster;
  const whole = clusterObject(cluster, spot);
  return backups === undefined ? [whole] : [objectStore(region, name, backups), whole, scheduledBackup(name, backups)];
};
