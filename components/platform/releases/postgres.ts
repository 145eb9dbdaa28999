import { z } from "zod";
import { isDnsLabel } from "../../network/names.ts";
import { keyRuledBy, type Rule, saying, strict, text } from "../../strict-schema.ts";
import { bucketProblems } from "../bucket-problems.ts";
import { noValues } from "../no-values.ts";
import { defineRelease, type ReleaseProblem } from "../release.ts";
import { bucket, days, flag, releaseSettings, replicas, schedule, size, word } from "../release-settings.ts";
import { replicasIn, type Spot, spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { clusterObjects, clusterSecret, NAMESPACE, podRequests, type PostgresCluster } from "./postgres-cluster.ts";

const RULES = {
  clusters: { allowed: "at least one cluster by its name", fix: "write { main: {} }, or remove the release" },
  // CloudNativePG makes names of Services and of pods from it. https://cloudnative-pg.io/docs/current/cloudnative-pg.v1/
  name: { allowed: "a name of at most 50 lower-case letters, digits and -", fix: "name the cluster by such a text" },
  version: { allowed: "a PostgreSQL version with major and minor number", fix: 'write it like "18.4", in quotes' },
  time: {
    allowed: "a time with its zone, such as 2026-11-26T09:30:00Z",
    fix: "write date and time with T between them and the zone, in quotes",
  },
  spec: { allowed: "an object of fields of a Cluster's spec", fix: "write it as that spec" },
} as const satisfies Record<string, Rule>;

const isClusterName = (name: string): boolean => isDnsLabel(name) && name.length <= 50;
const clusterName = keyRuledBy((key) => (isClusterName(key) ? undefined : RULES.name));

const backups = strict({
  ...bucket().shape,
  schedule: schedule().default("0 3 * * *").describe("When a full backup is taken, UTC; logs go there all the time"),
  retention: days().default(30).describe("Days back to which it can be restored"),
});

const recover = strict({
  from: text(RULES.name, isClusterName).describe("Name of the cluster that wrote the backups"),
  until: text(
    RULES.time,
    (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/.test(value) && !Number.isNaN(Date.parse(value)),
  )
    .optional()
    .describe("The last moment that it has; left out: all that reached the bucket"),
});

const cluster = strict({
  instances: replicas()
    .optional()
    .describe("How many instances, one of them the primary; left out: three, or as many as one site has machines for"),
  version: text(RULES.version, (value) => /^\d{2}\.\d{1,2}$/.test(value))
    .default("18.4")
    .describe("PostgreSQL version; another major number is an upgrade with a pause"),
  size: size().prefault("20GiB").describe("Volume of each instance"),
  storageClass: word().optional().describe("Its StorageClass; left out: the cluster's default"),
  memory: size().prefault("1GiB").describe("Memory of each instance, a quarter of it for its own cache"),
  synchronous: flag().default(false).describe("Whether a commit waits until a standby has it, too"),
  backups: backups.optional().describe("Where its backups go; left out: there are none"),
  recover: recover
    .optional()
    .describe("What it begins with, of the place that its own backups go to; read once, when it is made"),
  spec: z
    .record(z.string(), z.unknown(), saying(RULES.spec))
    .default({})
    .describe("Fields of the Cluster's spec, merged last over ours"),
});

const schema = releaseSettings({
  clusters: z
    .record(clusterName, cluster, saying(RULES.clusters))
    .refine((record) => Object.keys(record).length > 0, saying(RULES.clusters))
    .describe("PostgreSQL clusters by name"),
});
type Settings = z.output<typeof schema>;

function plan(topology: Topology, { clusters, place }: Settings) {
  const spot = spotFor(topology, place, "steady");
  const known = Object.entries(clusters).map(([name, wanted]): PostgresCluster => ({
    ...wanted,
    name,
    instances: wanted.instances ?? replicasIn(spot, 3),
  }));
  return { spot, clusters: known };
}

function recoverProblems({ name, backups: to, recover: wanted }: PostgresCluster): ReleaseProblem[] {
  const path = `clusters.${name}.recover`;
  if (wanted === undefined) return [];
  if (to === undefined)
    return [
      {
        path,
        found: "no backups beside it",
        allowed: "recover together with backups, which name the bucket",
        fix: `write platform.postgres.clusters.${name}.backups`,
      },
    ];
  return wanted.from === name
    ? [
        {
          path: `${path}.from`,
          found: `its own name, ${name}`,
          allowed: "the name of another cluster: what it writes itself would lie among what it is made of",
          fix: `name the new cluster differently, such as ${name}-2`,
        },
      ]
    : [];
}

function clusterProblems(wanted: PostgresCluster, spot: Spot): ReleaseProblem[] {
  const { name, instances, synchronous, backups: to } = wanted;
  const sites = [...new Set(spot.pools.map(({ site }) => site))];
  const path = `clusters.${name}`;
  return [
    // Synchronous ones over two sites are what the guardrail wan-replication speaks of.
    ...(sites.length > 1 && instances > 1 && !synchronous
      ? [
          {
            path: "place",
            found: `instances of ${name} in ${sites.join(" and ")}`,
            allowed:
              "the instances of a cluster in one site: a line that is down makes a standby the primary, and what it had not got is lost",
            fix: "write platform.postgres.place.site with one of them, and send backups to the other",
          },
        ]
      : []),
    ...(synchronous && instances < 3
      ? [
          {
            path: `${path}.synchronous`,
            found: `true with ${instances} ${instances === 1 ? "instance" : "instances"}`,
            allowed: "three instances or more: with fewer, every restart of one stops all writes",
            fix: `write ${path}.instances: 3, or remove synchronous`,
          },
        ]
      : []),
    ...recoverProblems(wanted),
    ...bucketProblems(`${path}.backups`, to),
  ];
}

/** PostgreSQL clusters, made by CloudNativePG. */
export const postgres = defineRelease({
  name: "postgres",
  section: "Databases and messaging",
  summary: "PostgreSQL clusters in one site each, with backups to a bucket; docs/postgres.md has the way back",
  home: "https://cloudnative-pg.io/docs/",
  kind: "objects",
  namespace: NAMESPACE,
  podSecurity: "restricted",
  timeoutSeconds: 600,
  schema,
  needs: ({ clusters }) => [
    "cloudnative-pg",
    ...(Object.values(clusters).some((one) => one.backups !== undefined) ? ["plugin-barman-cloud"] : []),
  ],
  values: () => ({}),
  workloads: (topology, settings) => {
    const { spot, clusters } = plan(topology, settings);
    return clusters.map((one) => ({
      name: one.name,
      replicas: one.instances,
      requests: podRequests(one),
      spot,
      apart: true,
      volumeGiB: one.size,
      replication: one.synchronous ? ("synchronous" as const) : ("asynchronous" as const),
    }));
  },
  saving: "take a backup of each cluster (docs/postgres.md)",
  secrets: (topology, settings) => plan(topology, settings).clusters.flatMap(clusterSecret),
  objects: (topology, settings) => {
    const { spot, clusters } = plan(topology, settings);
    return clusters.flatMap((one) => clusterObjects(topology.region, one, spot));
  },
  problems: (topology, settings) => {
    const { spot, clusters } = plan(topology, settings);
    return [
      ...clusters.flatMap((one) => clusterProblems(one, spot)),
      ...noValues(settings.values, "platform.postgres.clusters.<name>.spec"),
    ];
  },
});
