import * as random from "@pulumi/random";
import { describe, expect, it } from "vitest";
import { parseCommandText } from "../../components/host/command-text.ts";
import { CATALOGUE } from "../../components/platform/catalogue.ts";
import type { WantedRelease } from "../../components/platform/helm-release.ts";
import { releaseFixture } from "../support/release-fixtures.ts";
import { certManager } from "../../components/platform/releases/cert-manager.ts";
import { releaseSecret } from "../../components/platform/release-secrets.ts";
import { Platform } from "../../components/platform/platform.ts";
import { fakeOutputs } from "../support/fakes.ts";
import { type GraphNode, recordGraph } from "../support/record-graph.ts";
import { platformArgs } from "../support/platform-args.ts";

const chart = {
  version: "v1.21.2",
  repository: "https://charts.jetstack.io",
  chart: "cert-manager",
  sha256: "",
  crds: [{ url: "https://example.net/crds.yaml", sha256: "" }],
};

const plain = (userValues: Record<string, unknown> = {}): WantedRelease => ({
  definition: certManager,
  settings: certManager.schema.parse({ replicas: 2 }),
  userValues,
  secret: false,
  chart,
});

const record = (releases: readonly WantedRelease[] = [plain()]) =>
  recordGraph(
    () => {
      new Platform("tokyo", platformArgs(releases, [new random.RandomId("last-membership", { byteLength: 1 })]));
    },
    { state: fakeOutputs },
  );

describe("a release", () => {
  it("comes after all memberships, goes with the cluster, and is what versions.yaml pins", async () => {
    const nodes = await record();
    const release = nodes.find(({ name }) => name === "tokyo-cert-manager")!;
    const [helm] = nodes.filter(({ type }) => type === "kubernetes:helm.sh/v3:Release");
    expect(release).toBeDefined();
    expect(helm!.options).toMatchObject({ deletedWith: "tokyo-anchor", provider: "tokyo-kubernetes" });
    expect(helm!.inputs).toMatchObject({
      version: "v1.21.2",
      skipCrds: true,
      timeout: 600,
      values: { replicaCount: 2, crds: { enabled: false } },
    });
    expect(nodes.find(({ name }) => name === "tokyo-cert-manager-namespace")!.dependsOn).toContain("last-membership");
    expect(nodes.find(({ name }) => name === "tokyo-cert-manager-crds")!.dependsOn).toContain("last-membership");
    expect(helm!.dependsOn).toEqual(
      expect.arrayContaining(["tokyo-cert-manager-namespace", "tokyo-cert-manager-crds"]),
    );
  });

  it("applies its CRDs on their own and never deletes them", async () => {
    const crds = (await record()).find(({ name }) => name === "tokyo-cert-manager-crds")!;
    expect(parseCommandText(String(crds.inputs["update"]))).toMatchObject({
      script: "crds",
      action: "apply",
      parameters: { FILES: "- https://example.net/crds.yaml" },
    });
    expect(crds.inputs).not.toHaveProperty("delete");
  });

  it("merges the user's values last: maps are merged, lists replaced", async () => {
    const nodes = await record([plain({ webhook: { hostNetwork: true }, replicaCount: 3, extraArgs: ["--x"] })]);
    const [helm] = nodes.filter(({ type }) => type === "kubernetes:helm.sh/v3:Release");
    expect(helm!.inputs["values"]).toMatchObject({
      webhook: { hostNetwork: true, replicaCount: 2 },
      replicaCount: 3,
      extraArgs: ["--x"],
    });
  });
});

describe("a platform whose settings are encrypted", () => {
  /** What says which object it is; all the rest may hold what was encrypted. */
  const OPEN = new Set(["apiVersion", "kind", "metadata"]);
  const wanted = (secret: boolean): WantedRelease[] =>
    CATALOGUE.filter(({ objects }) => objects !== undefined).map((definition) => {
      const settings = definition.schema.parse(releaseFixture(definition.name, "all"));
      const own = definition.kind === "chart" ? { chart } : {};
      return { definition, settings, userValues: { note: "of the user" }, secret, ...own };
    });
  const objectsOf = (nodes: readonly GraphNode[]): GraphNode[] =>
    nodes.filter(({ type }) => /^kubernetes:(?!core\/v1:(Namespace|Secret)$|helm\.sh\/)/.test(type));
  const contentOf = (nodes: readonly GraphNode[]): unknown[] =>
    nodes.flatMap(({ inputs }) => Object.entries(inputs).flatMap(([key, value]) => (OPEN.has(key) ? [] : [value])));

  it("has no release and no object with readable content", async () => {
    const nodes = await record(wanted(true));
    const charts = nodes.filter(({ type }) => type === "kubernetes:helm.sh/v3:Release");
    expect(charts.map(({ inputs }) => inputs["values"])).toEqual(charts.map(() => "[secret]"));
    const objects = objectsOf(nodes);
    const kinds = new Set(objects.map(({ inputs }) => inputs["kind"]));
    expect([...kinds]).toEqual(expect.arrayContaining(["HelmChartConfig", "Cluster", "ConfigMap"]));
    expect(new Set(contentOf(objects))).toEqual(new Set(["[secret]"]));
  });

  it("has the objects that it would have in clear", async () => {
    const [hidden, shown] = [await record(wanted(true)), await record(wanted(false))];
    const identities = (nodes: readonly GraphNode[]) =>
      objectsOf(nodes).map(({ type, name, inputs }) => [type, name, inputs["metadata"], Object.keys(inputs).sort()]);
    expect(identities(hidden)).toEqual(identities(shown));
    expect(contentOf(objectsOf(shown))).not.toContain("[secret]");
  });
});

describe("a Secret of a release", () => {
  it("has hexadecimal digits alone where a program reads them as bytes", async () => {
    const nodes = await recordGraph(
      () => {
        const parent = new random.RandomId("parent", { byteLength: 1 });
        const definition = { name: "keys", entries: { rpc: { hex: 64 }, word: { password: 40 } } };
        releaseSecret("store-keys", definition, { namespace: "store", parent, options: {} });
        const login = { name: "login", type: "kubernetes.io/basic-auth", entries: { username: { text: "admin" } } };
        releaseSecret("store-login", login, { namespace: "store", parent, options: {} });
      },
      { state: fakeOutputs },
    );
    const of = (name: string) => nodes.find((node) => node.name === name)!.inputs;
    expect(of("store-keys-rpc")).toMatchObject({
      length: 64,
      upper: false,
      lower: false,
      special: true,
      overrideSpecial: "abcdef",
    });
    expect(of("store-keys-word")).toMatchObject({ length: 40, special: false });
    expect(of("store-keys")).toMatchObject({ metadata: { name: "keys", namespace: "store" } });
    expect(of("store-keys")).not.toHaveProperty("type");
    expect(of("store-login")).toMatchObject({ type: "kubernetes.io/basic-auth" });
  });
});
