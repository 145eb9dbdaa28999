import { afterAll, beforeAll, expect, test } from "vitest";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import type { HelmRelease } from "../../rehearsal/world/cluster.ts";
import { fine, openSample, sampleSettings, stepsOf } from "./sample.ts";

const withReplicas = (replicas: number) => sampleSettings({ agents: {}, platform: { "cert-manager": { replicas } } });

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await openSample(withReplicas(1));
  await fine(rehearsal.up());
});
afterAll(async () => {
  await rehearsal.close();
});

const release = (): HelmRelease => {
  const found = rehearsal.world.cluster("tokyo")?.releases.get("cert-manager/cert-manager");
  if (found === undefined) throw new Error("there is no release");
  return found;
};

test("a release that an interrupted upgrade left pending is freed, and upgraded in the same run", async () => {
  Object.assign(release(), { status: "pending-upgrade", revision: 2 });
  await rehearsal.configure(withReplicas(2));
  const up = await fine(rehearsal.up());
  expect(stepsOf(up)).toEqual(["update tokyo-cert-manager"]);
  expect(up.messages.map(({ text }) => text)).toContainEqual(
    expect.stringContaining("was left half-done by an interrupted update: removed sh.helm.release.v1.cert-manager.v2"),
  );
  expect(release()).toMatchObject({ status: "deployed", revision: 2 });
  expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
});
