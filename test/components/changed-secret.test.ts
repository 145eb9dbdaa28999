import { expect, it } from "vitest";
import { Platform } from "../../components/platform/platform.ts";
import type { ReleaseDefinition } from "../../components/platform/release.ts";
import { certManager } from "../../components/platform/releases/cert-manager.ts";
import { headlamp } from "../../components/platform/releases/headlamp.ts";
import { fakeOutputs } from "../support/fakes.ts";
import { recordGraph, type GraphNode, type RecordOptions } from "../support/record-graph.ts";
import { platformArgs } from "../support/platform-args.ts";

const REVISION = "tokyo-headlamp-secrets-revision";

const record = (definition: ReleaseDefinition, settings: unknown, options: RecordOptions = {}) =>
  recordGraph(
    () => {
      const chart = { version: "1.0.0", repository: "https://charts.example.net", chart: "a", sha256: "", crds: [] };
      new Platform(
        "tokyo",
        platformArgs([
          {
            definition,
            settings: definition.schema.parse(settings),
            userValues: { podAnnotations: { team: "ops" } },
            secret: true,
            chart,
          },
        ]),
      );
    },
    { state: fakeOutputs, ...options },
  );
const recordLogin = (clientSecret: string, options: RecordOptions = {}) =>
  record(
    headlamp,
    { host: "cluster.example.com", singleSignOn: { issuer: "https://id.example.com/realms/main", clientSecret } },
    options,
  );
const keepersOf = (nodes: readonly GraphNode[]) => nodes.find(({ name }) => name === REVISION)!.inputs["keepers"];

it("is another revision on the pods that read it when they start, beside the user's own annotations", async () => {
  const nodes = await recordLogin("one", { reveal: true });
  expect(keepersOf(nodes)).toMatchObject({ "headlamp-login/OIDC_CLIENT_SECRET": "one" });
  expect(keepersOf(await recordLogin("two", { reveal: true }))).not.toEqual(keepersOf(nodes));
  expect(nodes.find(({ type }) => type === "kubernetes:helm.sh/v3:Release")!.inputs["values"]).toMatchObject({
    podAnnotations: { "hybrid-k3s.io/secrets-revision": `id-of-${REVISION}`, team: "ops" },
  });
});

it("stands in no revision in clear", async () => {
  const nodes = await recordLogin("do-not-show");
  expect(JSON.stringify(nodes)).not.toContain("do-not-show");
  expect(nodes.find(({ name }) => name === REVISION)!.options).toMatchObject({ secretOutputs: ["keepers"] });
});

it("has no revision where there is no Secret, or nothing reads it when it starts", async () => {
  const names = [...(await record(certManager, {})), ...(await record(headlamp, {}))].map(({ name }) => name);
  expect(names.filter((name) => name.endsWith("-secrets-revision"))).toEqual([]);
});
