import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseCommandText } from "../../components/host/command-text.ts";
import { recoveryHooks } from "../../components/platform/recovery-hooks.ts";
import type { ReleaseAid } from "../../components/platform/release-aid.ts";
import { noAid } from "../support/no-aid.ts";
import { certManager } from "../../components/platform/releases/cert-manager.ts";
import { releaseSecret } from "../../components/platform/release-secrets.ts";
import { Platform } from "../../components/platform/platform.ts";
import { fakeOutputs } from "../support/fakes.ts";
import { recordGraph } from "../support/record-graph.ts";
import { TOPOLOGIES } from "../support/topologies.ts";
import { PRIVATE_KEY, sshTarget } from "../support/sample.ts";

const chart = {
  version: "v1.21.2",
  repository: "https://charts.jetstack.io",
  chart: "cert-manager",
  sha256: "",
  crds: [{ url: "https://example.net/crds.yaml", sha256: "" }],
};

const record = (userValues: Record<string, unknown> = {}) =>
  recordGraph(
    () => {
      const anchor = new random.RandomId("tokyo-anchor", { byteLength: 8 });
      new Platform("tokyo", {
        releases: [
          {
            definition: certManager,
            settings: certManager.schema.parse({ replicas: 2 }),
            userValues,
            secret: false,
            chart,
          },
        ],
        topology: TOPOLOGIES["tokyo-sapporo"],
        contacts: [{ name: "s-a", ...sshTarget("10.20.0.11") }],
        connectSeconds: 300,
        privateKey: PRIVATE_KEY,
        kubeconfig: pulumi.secret("kubeconfig"),
        serverAuthority: "authority",
        provider: new kubernetes.Provider("tokyo-kubernetes", { kubeconfig: "x", clusterIdentifier: "tokyo" }),
        anchor,
        memberships: [new random.RandomId("last-membership", { byteLength: 1 })],
        releaseAid: noAid,
      });
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
    const nodes = await record({ webhook: { hostNetwork: true }, replicaCount: 3, extraArgs: ["--x"] });
    const [helm] = nodes.filter(({ type }) => type === "kubernetes:helm.sh/v3:Release");
    expect(helm!.inputs["values"]).toMatchObject({
      webhook: { hostNetwork: true, replicaCount: 2 },
      replicaCount: 3,
      extraArgs: ["--x"],
    });
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

describe("the hooks of a release", () => {
  const locked = "another operation (install/upgrade/rollback) is in progress";
  const late = "context deadline exceeded";
  const failing = (...errors: string[]) =>
    ({ urn: "u", id: "", name: "n", type: "t", failedOperation: "update", errors }) as never;
  const release = { name: "cert-manager", namespace: "cert-manager" };
  const hooks = (aid: Partial<ReleaseAid>) => {
    const { beforeUpdate, afterUpdate, onError } = recoveryHooks("hook", release, pulumi.output("kubeconfig"), {
      ...noAid,
      ...aid,
    });
    const called = (one: unknown) => (one as pulumi.ResourceHook).callback({} as never);
    return {
      before: () => called(beforeUpdate?.[0]),
      after: () => called(afterUpdate?.[0]),
      failed: (...errors: string[]) => onError?.[0]?.callback(failing(...errors)),
    };
  };
  let said: string[];
  beforeEach(() => {
    said = [];
    vi.spyOn(pulumi.log, "warn").mockImplementation((text) => Promise.resolve(void said.push(text)));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it("clear the lock of an interrupted update in the region's own cluster and try again", async () => {
    const clearPending = vi.fn(() => Promise.resolve(["sh.helm.release.v1.cert-manager.v2"]));
    expect(await hooks({ clearPending }).failed(`upgrade failed: ${locked}`)).toBe(true);
    expect(clearPending).toHaveBeenCalledExactlyOnceWith("kubeconfig", release);
    expect(said).toEqual([
      "release cert-manager/cert-manager was left half-done by an interrupted update: removed sh.helm.release.v1.cert-manager.v2 and trying again",
    ]);
  });

  it("clear the record of an interrupted first install and try again", async () => {
    const clearPending = () => Promise.resolve(["sh.helm.release.v1.cert-manager.v1"]);
    expect(await hooks({ clearPending }).failed("cannot re-use a name that is still in use")).toBe(true);
  });

  it("do not try again when there was no lock to clear", async () => {
    expect(await hooks({}).failed(locked)).toBe(false);
    expect(said).toEqual([]);
  });

  it("go by the last failure alone", async () => {
    const clearPending = vi.fn(() => Promise.resolve(["x"]));
    expect(await hooks({ clearPending }).failed(late, locked)).toBe(false);
    expect(clearPending).not.toHaveBeenCalled();
  });

  it("delete broken pods that hold an update up, again and again while it runs and not after", async () => {
    vi.useFakeTimers();
    const held = [["pod store-0"], [], ["pod store-1"]];
    const deleteHeldPods = vi.fn(() => Promise.resolve(held.shift() ?? []));
    const { before, after } = hooks({ deleteHeldPods });
    await before();
    await vi.advanceTimersByTimeAsync(30_000);
    await after();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(deleteHeldPods).toHaveBeenCalledTimes(3);
    expect(said).toEqual(
      ["store-0", "store-1"].map(
        (pod) =>
          `release cert-manager/cert-manager waited for pod ${pod}, which an earlier update left broken: deleted, so that the new one follows`,
      ),
    );
  });

  it("look for broken pods no more once the update has failed", async () => {
    vi.useFakeTimers();
    const deleteHeldPods = vi.fn(() => Promise.resolve([]));
    const { before, failed } = hooks({ deleteHeldPods });
    await before();
    await failed(late);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(deleteHeldPods).not.toHaveBeenCalled();
  });

  it("say what is wrong with the pods where nothing can be done, and not all of it", async () => {
    const troubles = () => Promise.resolve(Array.from({ length: 8 }, (_, index) => `pod p${index}: wrong`));
    expect(await hooks({ troubles }).failed(late)).toBe(false);
    expect(said.join().split("\n  ")).toEqual([
      "release cert-manager/cert-manager is not ready:",
      ...[0, 1, 2, 3, 4, 5].map((index) => `pod p${index}: wrong`),
      "and 2 more",
    ]);
  });

  it("leave the failure as it is where the cluster cannot be asked", async () => {
    const away = () => Promise.reject(new Error("the API did not answer"));
    expect(await hooks({ troubles: away }).failed(late)).toBe(false);
    expect(said).toEqual([]);
  });
});
