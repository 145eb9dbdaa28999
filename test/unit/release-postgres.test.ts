import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { postgres } from "../../components/platform/releases/postgres.ts";
import { TOPOLOGIES } from "../support/topologies.ts";

const page = readFileSync(new URL("../../docs/postgres.md", import.meta.url), "utf8");
const block = (title: string): string => {
  const found = new RegExp(`^( *)\`\`\`yaml\\n *# ${title}\\n([^]*?)^ *\`\`\`$`, "m").exec(page);
  const text = found?.[2]?.replaceAll(new RegExp(`^${found[1]}`, "gm"), "") ?? "";
  // What the program reads where the file has an encrypted value.
  return text.replaceAll("{ secure: … }", "example");
};
const given = (settings: unknown, topology: keyof typeof TOPOLOGIES = "tokyo-sapporo") =>
  [TOPOLOGIES[topology], postgres.schema.parse(settings) as never] as const;
const problems = (settings: unknown, topology?: keyof typeof TOPOLOGIES) =>
  postgres.problems!(...given(settings, topology)).map(({ path, found }) => `${path}: ${found}`);

const bucket = {
  bucket: "acme",
  endpoint: "https://s3.example.net",
  accessKeyId: "example",
  secretAccessKey: "example",
};

describe("docs/postgres.md", () => {
  test("has the objects that its settings make, word for word", () => {
    const objects = parseAllDocuments(block("objects")).map((document) => document.toJS() as unknown);
    expect(objects).toHaveLength(3);
    expect(objects).toEqual(postgres.objects!(...given(parse(block("settings")))));
  });

  test("brings a cluster back from its own place in the bucket, by the other's name", () => {
    const settings = parse(block("settings")) as object;
    const cluster = postgres.objects!(...given(settings)).find(({ kind }) => kind === "Cluster");
    expect(problems(settings)).toEqual([]);
    expect(cluster).toMatchObject({
      spec: {
        bootstrap: { recovery: { source: "main", recoveryTarget: { targetTime: "2026-11-26T09:30:00Z" } } },
        externalClusters: [
          { name: "main", plugin: { parameters: { barmanObjectName: "main-2", serverName: "main" } } },
        ],
      },
    });
  });
});

describe("a cluster", () => {
  test("needs the plugin where it has backups, and only there", () => {
    const needs = (settings: unknown) => postgres.needs!(postgres.schema.parse(settings) as never);
    expect(needs({ clusters: { main: {} } })).toEqual(["cloudnative-pg"]);
    expect(needs({ clusters: { main: {}, other: { backups: bucket } } })).toEqual([
      "cloudnative-pg",
      "plugin-barman-cloud",
    ]);
  });

  test("has no budget that holds up a drain where it has one instance", () => {
    const budgets = postgres.objects!(...given({ clusters: { one: { instances: 1 }, two: { instances: 2 } } })).map(
      ({ spec }) => (spec as { enablePDB: boolean }).enablePDB,
    );
    expect(budgets).toEqual([false, true]);
  });

  test("keeps two regions that share a bucket apart", () => {
    const path = (topology: keyof typeof TOPOLOGIES) =>
      JSON.stringify(postgres.objects!(...given({ clusters: { main: { backups: bucket } } }, topology)));
    expect(path("one-site")).toContain('"s3://acme/fsn1/postgres"');
    expect(path("tokyo-sapporo")).toContain('"s3://acme/tokyo/postgres"');
  });
});

describe("what is wrong with clusters in a region", () => {
  test("instances over two sites, where a second one is not a matter of waiting", () => {
    const stretched = { clusters: { main: { instances: 3 } }, place: { site: "any" } };
    expect(problems(stretched)).toEqual(["place: instances of main in sapporo and tokyo"]);
    expect(problems(stretched, "one-site")).toEqual([]);
    expect(problems({ clusters: { main: { instances: 1 } }, place: { site: "any" } })).toEqual([]);
    expect(problems({ clusters: { main: { instances: 3 } } })).toEqual([]);
  });

  test("commits that wait for a standby with fewer than three instances", () => {
    const synchronous = (instances: number) => ({ clusters: { main: { instances, synchronous: true } } });
    expect(problems(synchronous(1))).toEqual(["clusters.main.synchronous: true with 1 instance"]);
    expect(problems(synchronous(2))).toEqual(["clusters.main.synchronous: true with 2 instances"]);
    expect(problems(synchronous(3))).toEqual([]);
  });

  test("a bucket at nobody's address", () => {
    const to = (more: object) => ({ clusters: { main: { backups: { ...bucket, ...more } } } });
    const found = ["clusters.main.backups: region auto without an endpoint"];
    expect(problems(to({ endpoint: undefined }))).toEqual(found);
    expect(problems(to({ endpoint: undefined, region: "ap-northeast-1" }))).toEqual([]);
    expect(problems(to({}))).toEqual([]);
  });

  test("Helm values, which nothing would read", () => {
    expect(problems({ clusters: { main: {} }, values: { a: 1 } })).toEqual(["values: Helm values"]);
    expect(problems({ clusters: { main: { spec: { logLevel: "debug" } } } })).toEqual([]);
  });

  test("a way back without a bucket, or to itself", () => {
    const from = (name: string, backups?: object) => ({ clusters: { main: { recover: { from: name }, backups } } });
    expect(problems(from("old"))).toEqual(["clusters.main.recover: no backups beside it"]);
    expect(problems(from("main", bucket))).toEqual(["clusters.main.recover.from: its own name, main"]);
    expect(problems(from("old", bucket))).toEqual([]);
  });
});
