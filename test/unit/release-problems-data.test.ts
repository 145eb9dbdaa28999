import { describe, expect, test } from "vitest";
import type { ReleaseDefinition } from "../../components/platform/release.ts";
import { cassandra } from "../../components/platform/releases/cassandra.ts";
import { garage } from "../../components/platform/releases/garage.ts";
import { loki } from "../../components/platform/releases/loki.ts";
import { nats } from "../../components/platform/releases/nats.ts";
import { pgedge } from "../../components/platform/releases/pgedge.ts";
import { valkey } from "../../components/platform/releases/valkey.ts";
import { velero } from "../../components/platform/releases/velero.ts";
import { TOPOLOGIES } from "../support/topologies.ts";

const given = (definition: ReleaseDefinition, settings: unknown, topology: keyof typeof TOPOLOGIES = "one-site") =>
  [TOPOLOGIES[topology], definition.schema.parse(settings) as never] as const;
const problems = (...args: Parameters<typeof given>) =>
  args[0].problems!(...given(...args)).map(({ path, found }) => `${path}: ${found}`);

const bucket = { bucket: "acme", accessKeyId: "example", secretAccessKey: "example" };

describe("cassandra", () => {
  test("knows where its bucket is", () => {
    expect(problems(cassandra, { backups: bucket })).toEqual(["backups: region auto without an endpoint"]);
    expect(problems(cassandra, { backups: { ...bucket, endpoint: "https://s3.example.net" } })).toEqual([]);
    expect(problems(cassandra, {})).toEqual([]);
  });

  test("has no chart that Helm values could go to", () => {
    expect(problems(cassandra, { values: { auth: false } })).toEqual(["values: Helm values"]);
    const [cluster] = cassandra.objects!(...given(cassandra, { spec: { auth: false } }));
    expect(cluster).toMatchObject({ spec: { auth: false } });
  });

  test("writes to AWS by its region and to others by their address and port", () => {
    const storage = (more: object) => {
      const [cluster] = cassandra.objects!(...given(cassandra, { backups: { ...bucket, ...more } }));
      return (cluster!["spec"] as { medusa: { storageProperties: object } }).medusa.storageProperties;
    };
    expect(storage({ region: "ap-northeast-1" })).toMatchObject({ storageProvider: "s3", region: "ap-northeast-1" });
    expect(storage({ region: "ap-northeast-1" })).not.toHaveProperty("host");
    expect(storage({ endpoint: "https://s3.example.net:3900" })).toMatchObject({
      storageProvider: "s3_compatible",
      host: "s3.example.net",
      port: 3900,
    });
    expect(storage({ endpoint: "https://s3.example.net" })).toMatchObject({ port: 443, prefix: "fsn1-cassandra" });
  });
});

describe("nats", () => {
  const gateway = { password: "example", remotes: { mn: "mn.example.net" } };

  test("has an odd number of servers", () => {
    expect(problems(nats, { replicas: 2 })).toEqual(["replicas: 2"]);
    expect(problems(nats, { replicas: 3 })).toEqual([]);
    expect(problems(nats, {})).toEqual([]);
  });

  test("joins a super-cluster with three servers, and not itself", () => {
    expect(problems(nats, { replicas: 1, gateway })).toEqual(["gateway: a gateway of one server"]);
    expect(problems(nats, { gateway })).toEqual([]);
    expect(problems(nats, { gateway: { ...gateway, remotes: { fsn1: "here.example.net" } } })).toEqual([
      "gateway.remotes.fsn1: this region itself",
    ]);
  });

  test("takes ports of machines only where it is to be reached from elsewhere", () => {
    const ports = (settings: unknown) => nats.claims!(...given(nats, settings)).ports;
    expect(ports({})).toEqual([]);
    expect(ports({ leafnodes: {}, gateway: { ...gateway, expose: false } })).toEqual([]);
    expect(ports({ leafnodes: { expose: true }, gateway })).toEqual([7422, 7222]);
  });

  test("writes no password into its values", () => {
    const text = JSON.stringify(nats.values(...given(nats, { gateway: { ...gateway, password: "do-not-show" } })));
    expect(text).not.toContain("do-not-show");
    expect(text).toContain("<< $GATEWAY_PASSWORD >>");
  });
});

describe("loki", () => {
  const to = { ...bucket, endpoint: "https://s3.example.net" };

  test("has no two replicas, of which both would have to be there", () => {
    expect(problems(loki, { replicas: 2, bucket: to })).toEqual(["replicas: 2"]);
    expect(problems(loki, { replicas: 3, bucket: to })).toEqual([]);
    expect(problems(loki, {})).toEqual([]);
  });

  test("keeps each log three times where it has the replicas", () => {
    const factor = (settings: unknown) =>
      (loki.values(...given(loki, settings)) as { loki: { commonConfig: object } }).loki.commonConfig;
    expect(factor({ replicas: 3, bucket: to })).toEqual({ replication_factor: 3 });
    expect(factor({ replicas: 5, bucket: to })).toEqual({ replication_factor: 3 });
    expect(factor({})).toEqual({ replication_factor: 1 });
  });
});

describe("valkey", () => {
  test("has copies only where each keeps what it has", () => {
    expect(problems(valkey, { replicas: 3 })).toEqual(["replicas: 3 copies without a volume"]);
    expect(problems(valkey, { replicas: 3, size: "5GiB" })).toEqual([]);
    expect(problems(valkey, {})).toEqual([]);
  });

  test("writes files only where it has a volume, and lets nobody in without a password", () => {
    const cache = valkey.values(...given(valkey, {}));
    expect(cache).toMatchObject({ auth: { enabled: true, usersExistingSecret: "valkey-users" } });
    expect(cache["valkeyConfig"]).toContain('save ""');
    const store = valkey.values(...given(valkey, { size: "5GiB", evict: false }));
    expect(store).toMatchObject({ deploymentStrategy: "Recreate", dataStorage: { requestedSize: "5Gi" } });
    expect(store["valkeyConfig"]).toContain("maxmemory-policy noeviction\nappendonly yes");
  });
});

describe("velero", () => {
  test("knows where its bucket is", () => {
    expect(problems(velero, { bucket })).toEqual(["bucket: region auto without an endpoint"]);
    expect(problems(velero, { bucket: { ...bucket, region: "ap-northeast-1" } })).toEqual([]);
  });

  test("has an agent on each machine only where files of volumes are saved", () => {
    const names = (volumes: boolean) =>
      velero.workloads(...given(velero, { bucket, volumes })).map(({ name, replicas }) => `${name} ${replicas}`);
    expect(names(false)).toEqual(["server 1"]);
    expect(names(true)).toEqual(["server 1", "node-agent every-node"]);
  });

  test("has an agent wherever a volume may be: outside of the place of its server, and behind a taint", () => {
    const settings = { bucket, volumes: true, place: { site: "tokyo" } };
    const wanted = given(velero, settings, "tokyo-sapporo");
    expect(velero.values(...wanted)).toMatchObject({
      nodeSelector: { "hybrid-k3s.io/site": "tokyo" },
      nodeAgent: { nodeSelector: {}, tolerations: [{ operator: "Exists", effect: "NoSchedule" }] },
    });
    const agent = velero.workloads(...wanted).find(({ name }) => name === "node-agent");
    expect(agent!.spot.pools.map(({ name }) => name)).toEqual(["home", "laptop", "control"]);
  });

  test("writes no key into its values", () => {
    const wanted = given(velero, { bucket: { ...bucket, secretAccessKey: "do-not-show" } });
    expect(JSON.stringify(velero.values(...wanted))).not.toContain("do-not-show");
    expect(JSON.stringify(velero.secrets!(...wanted))).toContain("do-not-show");
  });
});

describe("pgedge", () => {
  test("has all nodes of a region in one site", () => {
    const found = ["place: nodes in sapporo and tokyo"];
    expect(problems(pgedge, { place: { site: "any" } }, "tokyo-sapporo")).toEqual(found);
    expect(problems(pgedge, {}, "tokyo-sapporo")).toEqual([]);
    expect(problems(pgedge, { place: { site: "any" } })).toEqual([]);
  });

  test("has no more pods than there are machines, standbys counted", () => {
    const pods = (settings: unknown) => pgedge.workloads(...given(pgedge, settings, "on-premises"))[0]!.replicas;
    expect(pods({})).toBe(3);
    expect(pods({ instances: 2 })).toBe(2);
    expect(pods({ nodes: 3, instances: 2 })).toBe(6);
  });
});

describe("garage", () => {
  const zones = (settings: unknown, topology: keyof typeof TOPOLOGIES) =>
    garage.workloads(...given(garage, settings, topology)).map(({ name, replicas }) => `${name} ${replicas}`);

  test("stands in every site that stays, with three nodes in all or more", () => {
    expect(zones({}, "one-site")).toEqual(["garage-falkenstein 3"]);
    expect(zones({}, "tokyo-sapporo")).toEqual(["garage-sapporo 2", "garage-tokyo 2"]);
    expect(zones({ place: { site: "tokyo" }, nodesPerSite: 1 }, "tokyo-sapporo")).toEqual(["garage-tokyo 1"]);
  });

  test("has no more copies than nodes", () => {
    expect(problems(garage, { nodesPerSite: 1, replicationFactor: 3 })).toEqual([
      "replicationFactor: 3 copies on one node",
    ]);
    expect(problems(garage, { nodesPerSite: 1 })).toEqual([]);
    expect(problems(garage, { replicationFactor: 3 })).toEqual([]);
    expect(problems(garage, { values: { image: {} } })).toEqual(["values: Helm values"]);
  });
});
