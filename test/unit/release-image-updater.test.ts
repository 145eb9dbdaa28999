import { expect, test } from "vitest";
import { argoCd } from "../../components/platform/releases/argo-cd.ts";
import { argocdImageUpdater } from "../../components/platform/releases/argocd-image-updater.ts";
import { TOPOLOGIES } from "../support/topologies.ts";

const secretsOf = (settings: object) =>
  argocdImageUpdater.secrets?.(TOPOLOGIES["one-site"], argocdImageUpdater.schema.parse(settings) as never);

test("runs in Argo CD's namespace, which is made by the release that it needs", () => {
  expect(argocdImageUpdater.namespace).toBe(argoCd.namespace);
  expect(argocdImageUpdater.podSecurity).toBe("existing");
  expect(argocdImageUpdater.needs?.(argocdImageUpdater.schema.parse({}) as never)).toEqual(["argo-cd"]);
});

test("has a key that may write only where it is asked for", () => {
  expect(secretsOf({})).toEqual([]);
  expect(secretsOf({ writeKey: true })).toEqual([
    { name: "image-updater-git", entries: { sshPrivateKey: { sshKey: "private" } } },
  ]);
});
