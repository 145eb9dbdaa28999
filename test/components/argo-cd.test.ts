import { describe, expect, it } from "vitest";
import { Platform } from "../../components/platform/platform.ts";
import { argoCd } from "../../components/platform/releases/argo-cd.ts";
import { argocdImageUpdater } from "../../components/platform/releases/argocd-image-updater.ts";
import { fakeOutputs } from "../support/fakes.ts";
import { recordGraph } from "../support/record-graph.ts";
import { platformArgs } from "../support/platform-args.ts";

const REPOSITORY = "git@github.com:acme/cluster.git";
const chart = { version: "1", repository: "https://charts.example.net", chart: "x", sha256: "", crds: [] };

async function record() {
  let publicKeys: Platform["publicKeys"] = {};
  const wanted = { userValues: {}, secret: false, chart } as const;
  const nodes = await recordGraph(
    () => {
      const platform = new Platform(
        "tokyo",
        platformArgs([
          { ...wanted, definition: argoCd, settings: argoCd.schema.parse({ repository: { url: REPOSITORY } }) },
          { ...wanted, definition: argocdImageUpdater, settings: argocdImageUpdater.schema.parse({ writeKey: true }) },
        ]),
      );
      ({ publicKeys } = platform);
    },
    { state: fakeOutputs },
  );
  return { nodes, publicKeys };
}

describe("Argo CD and its Image Updater", () => {
  it("give the public halves of a key that reads and of one that writes, to be pasted", async () => {
    const { publicKeys } = await record();
    expect(Object.keys(publicKeys)).toEqual([
      "argo-cd/config-repository/sshPrivateKey",
      "argocd-image-updater/image-updater-git/sshPrivateKey",
    ]);
  });

  it("show no private half, and have the repository's Secret before the chart", async () => {
    const { nodes } = await record();
    const secret = nodes.find(({ name }) => name === "tokyo-argo-cd-config-repository")!;
    expect(secret.inputs).toMatchObject({
      metadata: { namespace: "argocd", labels: { "argocd.argoproj.io/secret-type": "repository" } },
    });
    expect(JSON.stringify(secret.inputs["stringData"])).not.toContain("PRIVATE KEY");
    expect(
      nodes.find(({ type, name }) => type === "kubernetes:helm.sh/v3:Release" && name === "tokyo-argo-cd")!.dependsOn,
    ).toContain(secret.name);
  });

  it("share one namespace, which only the first of them makes", async () => {
    const { nodes } = await record();
    const made = nodes.filter(({ type }) => type === "kubernetes:core/v1:Namespace");
    expect(made.map(({ inputs }) => inputs["metadata"])).toEqual([
      { name: "argocd", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    ]);
  });

  it("make the projects and the root application after the chart", async () => {
    const { nodes } = await record();
    const objects = nodes.filter(({ type }) => type.startsWith("kubernetes:argoproj.io/"));
    expect(objects.map(({ name }) => name).sort()).toEqual(
      [
        "tokyo-argo-cd-appproject-platform",
        "tokyo-argo-cd-appproject-root",
        "tokyo-argo-cd-appproject-workloads",
        "tokyo-argo-cd-application-root",
      ].sort(),
    );
    for (const { dependsOn } of objects) expect(dependsOn).toContain("tokyo-argo-cd");
  });
});
