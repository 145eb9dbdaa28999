import type { z } from "zod";
import { bucketProblems } from "../bucket-problems.ts";
import { defineRelease, type Values } from "../release.ts";
import { wholeBucket, days, releaseSettings, replicas, size, word } from "../release-settings.ts";
import { type Spot, spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";
import { yamlText } from "../../yaml-text.ts";

const REQUESTS = { cpu: 50, memory: 384 } as const satisfies Requests;
const CREDENTIALS = "loki-bucket";
/** The day from which chunks have the form below. Any day before the first log will do. */
const SCHEMA_FROM = "2025-01-01";

/** Loki, as Grafana knows it. https://grafana.com/docs/grafana/latest/administration/provisioning/#data-sources */
const DATASOURCE = {
  apiVersion: 1,
  datasources: [{ name: "Loki", type: "loki", access: "proxy", url: "http://loki.loki.svc.cluster.local:3100" }],
};

const schema = releaseSettings({
  retention: days().default(14).describe("Days that logs are kept"),
  size: size()
    .prefault("20GiB")
    .describe("Volume of each replica: all logs, or with a bucket what has not got there yet"),
  storageClass: word().optional().describe("StorageClass of the volume; left out: the cluster's default"),
  replicas: replicas()
    .default(1)
    .describe(
      "Replicas: one, or three and more with a bucket; of three that keep each log one may be away. Two would be worse than one: both have to be there",
    ),
  bucket: wholeBucket().optional().describe("Where logs are kept; left out: on the volume"),
});
type Settings = z.output<typeof schema>;

const plan = (topology: Topology, settings: Settings): { spot: Spot; copies: number } => ({
  spot: spotFor(topology, settings.place, "steady"),
  // A log is taken once more than half of its copies are written, and read from as many: of three, one may be away.
  // https://grafana.com/docs/loki/latest/get-started/components/#replication-factor
  copies: Math.min(settings.replicas, 3),
});

function storage({ bucket: to }: Settings): Values {
  if (to === undefined) return { type: "filesystem" };
  return {
    type: "s3",
    bucketNames: { chunks: to.bucket, ruler: to.bucket, admin: to.bucket },
    s3: {
      ...(to.endpoint === undefined ? {} : { endpoint: to.endpoint }),
      region: to.region,
      // Read from the environment: values of a chart stand in the cluster in plain text.
      accessKeyId: "${ACCESS_KEY_ID}",
      secretAccessKey: "${SECRET_ACCESS_KEY}",
      // Services beside AWS have no name for each bucket.
      s3ForcePathStyle: to.endpoint !== undefined,
    },
  };
}

function values(topology: Topology, settings: Settings): Values {
  const { spot, copies } = plan(topology, settings);
  const inBucket = settings.bucket !== undefined;
  return {
    // One process does everything: the parts of a large Loki would each take what this one takes.
    deploymentMode: "Monolithic",
    loki: {
      // One tenant, the region: with tenants, every writer and reader would have to name one.
      auth_enabled: false,
      commonConfig: { replication_factor: copies },
      storage: storage(settings),
      schemaConfig: {
        configs: [
          {
            from: SCHEMA_FROM,
            store: "tsdb",
            object_store: inBucket ? "s3" : "filesystem",
            schema: "v13",
            index: { prefix: "index_", period: "24h" },
          },
        ],
      },
      limits_config: { retention_period: `${settings.retention * 24}h` },
      // Without it nothing is ever deleted.
      compactor: { retention_enabled: true, delete_request_store: inBucket ? "s3" : "filesystem" },
      // It would send figures about the installation to its makers.
      analytics: { reporting_enabled: false },
    },
    singleBinary: {
      replicas: settings.replicas,
      nodeSelector: spot.nodeSelector,
      resources: resourcesOf(REQUESTS, 1024),
      persistence: {
        size: `${settings.size}Gi`,
        ...(settings.storageClass === undefined ? {} : { storageClass: settings.storageClass }),
      },
      // It looks for alert rules in ConfigMaps, which nothing here writes.
      sidecar: false,
      ...(inBucket
        ? { extraArgs: ["-config.expand-env=true"], extraEnvFrom: [{ secretRef: { name: CREDENTIALS } }] }
        : {}),
    },
    sidecar: { rules: { enabled: false } },
    // A proxy in front of one service.
    gateway: { enabled: false },
    // Two caches of 1 GiB and 8 GiB by default: more than a small region has.
    chunksCache: { enabled: false },
    resultsCache: { enabled: false },
    // It writes a log each second on every node to see whether it arrives.
    lokiCanary: { enabled: false },
    test: { enabled: false },
    read: { replicas: 0 },
    write: { replicas: 0 },
    backend: { replicas: 0 },
  };
}

/** Loki: the logs of a region, in one site. */
export const loki = defineRelease({
  name: "loki",
  section: "Observability",
  summary: "keeps logs, on one volume or in a bucket, and lets Grafana search them",
  home: "https://grafana.com/docs/loki/latest/setup/install/helm/",
  kind: "chart",
  namespace: "loki",
  podSecurity: "restricted",
  timeoutSeconds: 900,
  schema,
  values,
  workloads: (topology, settings) => {
    const { spot, copies } = plan(topology, settings);
    return [
      {
        name: "loki",
        replicas: settings.replicas,
        requests: REQUESTS,
        spot,
        apart: true,
        volumeGiB: settings.size,
        ...(copies > 1 ? { replication: "synchronous" as const } : {}),
      },
    ];
  },
  objects: () => [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      // Grafana of this region looks for this label in every namespace.
      metadata: { name: "grafana-datasource", namespace: "loki", labels: { grafana_datasource: "1" } },
      data: { "loki.yaml": yamlText(DATASOURCE) },
    },
  ],
  podAnnotations: (podAnnotations) => ({ singleBinary: { podAnnotations } }),
  secrets: (_topology, { bucket: to }) =>
    to === undefined
      ? []
      : [
          {
            name: CREDENTIALS,
            entries: { ACCESS_KEY_ID: { text: to.accessKeyId }, SECRET_ACCESS_KEY: { text: to.secretAccessKey } },
          },
        ],
  problems: (_topology, settings) => [
    ...(settings.replicas === 2
      ? [
          {
            path: "replicas",
            found: "2",
            allowed: "one, or three and more: more than half of a log's copies have to be there, which is both of two",
            fix: "write 3 where one site has three machines, or remove replicas",
          },
        ]
      : []),
    ...(settings.replicas > 1 && settings.bucket === undefined
      ? [
          {
            path: "replicas",
            found: `${settings.replicas} without a bucket`,
            allowed: "more than one replica only with platform.loki.bucket: a volume is read by one of them alone",
            fix: "write platform.loki.bucket, or remove replicas",
          },
        ]
      : []),
    ...bucketProblems("bucket", settings.bucket),
  ],
});
