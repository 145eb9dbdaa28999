import { z } from "zod";
import { mergeValues } from "../../helm-values.ts";
import { type Rule, saying, strict, text } from "../../strict-schema.ts";
import { bucketProblems } from "../bucket-problems.ts";
import { noValues } from "../no-values.ts";
import { defineRelease, type Manifest } from "../release.ts";
import { bucket, days, releaseSettings, replicas, schedule, size, word } from "../release-settings.ts";
import { replicasIn, spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { type Requests, resourcesOf } from "../workload.ts";
import { CASSANDRA_NAMESPACE } from "./k8ssandra-operator.ts";

const NAME = "cassandra";
const SECRET = "cassandra-backups";
/** What cass-operator gives the container that prints Cassandra's log. */
const LOGGER: Requests = { cpu: 100, memory: 64 };
const MEDUSA: Requests = { cpu: 20, memory: 256 };

const RULES = {
  version: { allowed: "a Cassandra version of three numbers", fix: 'write it like "5.0.6", in quotes' },
  spec: { allowed: "an object of fields of a K8ssandraCluster's spec", fix: "write it as that spec" },
} as const satisfies Record<string, Rule>;

const schema = releaseSettings({
  replicas: replicas()
    .optional()
    .describe("Cassandra nodes, each on a machine of its own; left out: three, or as many as one site has machines"),
  version: text(RULES.version, (value) => /^[45]\.\d{1,2}\.\d{1,2}$/.test(value))
    .default("5.0.6")
    .describe("Cassandra version"),
  size: size().prefault("20GiB").describe("Volume of each node"),
  storageClass: word().optional().describe("Its StorageClass; left out: the cluster's default"),
  memory: size().prefault("3GiB").describe("Memory of each node, two fifths of it for its heap"),
  backups: strict({
    ...bucket().shape,
    schedule: schedule().default("0 4 * * *").describe("When what has changed is written to it, UTC"),
    retention: days().default(30).describe("Days after which a backup goes"),
  })
    .optional()
    .describe("Where Medusa writes its backups; left out: there are none"),
  spec: z
    .record(z.string(), z.unknown(), saying(RULES.spec))
    .default({})
    .describe("Fields of the K8ssandraCluster's spec, merged last over ours; such as reaper, which repairs"),
});
type Settings = z.output<typeof schema>;

function plan(topology: Topology, settings: Settings) {
  // A write at QUORUM waits for nodes of other machines.
  const spot = spotFor(topology, settings.place, "steady");
  return { spot, count: settings.replicas ?? replicasIn(spot, 3) };
}

function medusa(region: string, backups: NonNullable<Settings["backups"]>): Record<string, unknown> {
  const { endpoint, retention } = backups;
  const address = endpoint === undefined ? undefined : new URL(endpoint);
  return {
    storageProperties: {
      storageProvider: address === undefined ? "s3" : "s3_compatible",
      bucketName: backups.bucket,
      // Two regions that share a bucket must not share a folder.
      prefix: backups.prefix ?? `${region}-cassandra`,
      region: backups.region,
      storageSecretRef: { name: SECRET },
      ...(address === undefined
        ? {}
        : { host: address.hostname, port: address.port === "" ? 443 : Number(address.port), secure: true }),
      maxBackupAge: retention,
    },
    containerResources: resourcesOf(MEDUSA, 1024),
  };
}

const backupSchedule = (datacenter: string, cron: string): Manifest => ({
  apiVersion: "medusa.k8ssandra.io/v1alpha1",
  kind: "MedusaBackupSchedule",
  metadata: { name: NAME, namespace: CASSANDRA_NAMESPACE },
  spec: {
    cronSchedule: cron,
    backupSpec: { backupType: "differential", cassandraDatacenter: datacenter },
  },
});

function cluster(topology: Topology, settings: Settings): Manifest {
  const { spot, count } = plan(topology, settings);
  const { memory, size: volume, storageClass, backups } = settings;
  const heap = `${Math.floor(memory * 1024 * 0.4)}Mi`;
  const spec = {
    auth: true,
    cassandra: {
      serverVersion: settings.version,
      // What the heap leaves is for indexes and caches outside of it, and for the management API.
      resources: resourcesOf({ cpu: 300, memory: memory * 1024 }, memory * 1024),
      config: { jvmOptions: { heap_initial_size: heap, heap_max_size: heap } },
      storageConfig: {
        cassandraDataVolumeClaimSpec: {
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: `${volume}Gi` } },
          ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
        },
      },
      datacenters: [
        {
          // Other regions would be further datacenters of it: a name of its own from the start, for it cannot change.
          metadata: { name: topology.region },
          size: count,
          // One rack, so that every node counts alike; two nodes never share a machine, which is the operator's default.
          racks: [{ name: "default", nodeAffinityLabels: spot.nodeSelector }],
        },
      ],
    },
    ...(backups === undefined ? {} : { medusa: medusa(topology.region, backups) }),
  };
  return {
    apiVersion: "k8ssandra.io/v1alpha1",
    kind: "K8ssandraCluster",
    metadata: { name: NAME, namespace: CASSANDRA_NAMESPACE },
    spec: mergeValues(spec, settings.spec),
  };
}

const sum = (parts: readonly Requests[]): Requests => ({
  cpu: parts.reduce((total, { cpu }) => total + cpu, 0),
  memory: parts.reduce((total, { memory }) => total + memory, 0),
});

/** A Cassandra cluster of one datacenter, in one site. */
export const cassandra = defineRelease({
  name: "cassandra",
  section: "Databases and messaging",
  summary: "a Cassandra cluster: one datacenter in one site, replicated within it, with backups to a bucket",
  home: "https://docs.k8ssandra.io/",
  kind: "objects",
  namespace: CASSANDRA_NAMESPACE,
  podSecurity: "existing",
  timeoutSeconds: 900,
  schema,
  needs: () => ["k8ssandra-operator"],
  values: () => ({}),
  workloads: (topology, settings) => {
    const { spot, count } = plan(topology, settings);
    const own = { cpu: 300, memory: settings.memory * 1024 };
    return [
      {
        name: "cassandra",
        replicas: count,
        requests: sum([own, LOGGER, ...(settings.backups === undefined ? [] : [MEDUSA])]),
        spot,
        apart: true,
        volumeGiB: settings.size,
        replication: "synchronous",
      },
    ];
  },
  secrets: (_topology, { backups }) =>
    backups === undefined
      ? []
      : [
          {
            name: SECRET,
            entries: {
              // The name of the key is Medusa's own.
              credentials: {
                text: `[default]\naws_access_key_id = ${backups.accessKeyId}\naws_secret_access_key = ${backups.secretAccessKey}\n`,
              },
            },
          },
        ],
  objects: (topology, settings) => [
    cluster(topology, settings),
    ...(settings.backups === undefined ? [] : [backupSchedule(topology.region, settings.backups.schedule)]),
  ],
  problems: (_topology, settings) => [
    ...bucketProblems("backups", settings.backups),
    ...noValues(settings.values, "platform.cassandra.spec"),
  ],
});
