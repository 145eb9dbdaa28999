import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { describe, expect, it } from "vitest";
import { parseCommandText } from "../../components/host/command-text.ts";
import { pendingLockHook } from "../../components/platform/pending-lock.ts";
import { CATALOGUE, Platform } from "../../components/platform/platform.ts";
import { fakeOutputs } from "../support/fakes.ts";
import { recordGraph } from "../support/record-graph.ts";
import { PRIVATE_KEY, sshTarget } from "../support/sample.ts";

const chart = {
  version: "v1.21.2",
  repository: "https://charts.jetstack.io",
  chart: "cert-manager",
  crds: { url: "https://example.net/crds.yaml", sha256: "" },
};

const record = (userValues: Record<string, unknown> = {}) =>
  recordGraph(
    () => {
      const anchor = new random.RandomId("tokyo-anchor", { byteLength: 8 });
      new Platform("tokyo", {
        releases: [{ name: "cert-manager", settings: { replicas: 2 }, userValues, secretValues: false, chart }],
        topology: { region: "tokyo", servers: 3, agents: 2 },
        contacts: [{ name: "s-a", ...sshTarget("10.20.0.11") }],
        connectSeconds: 300,
        privateKey: PRIVATE_KEY,
        kubeconfig: pulumi.secret("kubeconfig"),
        serverAuthority: "authority",
        provider: new kubernetes.Provider("tokyo-kubernetes", { kubeconfig: "x", clusterIdentifier: "tokyo" }),
        anchor,
        memberships: [new random.RandomId("last-membership", { byteLength: 1 })],
        clearPendingRelease: () => Promise.resolve([]),
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
      parameters: { URL: chart.crds.url },
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

describe("the catalogue", () => {
  it("lists each release after what it needs", () => {
    const names = CATALOGUE.map(({ name }) => name);
    for (const [index, { needs }] of CATALOGUE.entries()) {
      for (const need of needs) expect(names.slice(0, index)).toContain(need);
    }
    expect(names).toContain("cert-manager");
  });
});

describe("the hook for a release that an interrupted update left pending", () => {
  const held = "another operation (install/upgrade/rollback) is in progress";
  const failing = (errors: string[]) =>
    ({ urn: "u", id: "", name: "n", type: "t", failedOperation: "update", errors }) as never;
  const hook = (cleared: string[], seen: unknown[] = []) =>
    pendingLockHook(
      "hook",
      { name: "cert-manager", namespace: "cert-manager" },
      pulumi.output("kubeconfig"),
      (kubeconfig, release) => {
        seen.push([kubeconfig, release.name]);
        return Promise.resolve(cleared);
      },
    );

  it("clears the lock in the region's own cluster and tries again", async () => {
    const seen: unknown[] = [];
    expect(
      await hook(["sh.helm.release.v1.cert-manager.v2"], seen).callback(failing([`upgrade failed: ${held}`])),
    ).toBe(true);
    expect(seen).toEqual([["kubeconfig", "cert-manager"]]);
  });

  it("does not try again when there was no lock to clear", async () => {
    expect(await hook([]).callback(failing([held]))).toBe(false);
  });

  it("leaves every other failure alone", async () => {
    const seen: unknown[] = [];
    expect(await hook(["x"], seen).callback(failing(["timed out waiting for the condition", held]))).toBe(false);
    expect(seen).toEqual([]);
  });
});
