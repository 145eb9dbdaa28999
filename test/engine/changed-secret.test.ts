import { afterAll, beforeAll, expect, test } from "vitest";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { fine, openSample, sampleSettings, stepsOf } from "./sample.ts";

const OPERATOR = { clientId: { secure: "v1:id" }, clientSecret: { secure: "v1:secret" } };
const CLIENT_SECRET = 'hybrid-k3s:platform["tailscale-operator"]["clientSecret"]';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await openSample(sampleSettings({ agents: {}, platform: { "tailscale-operator": OPERATOR } }));
  await fine(rehearsal.up());
});
afterAll(async () => {
  await rehearsal.close();
});

test("a changed secret of a release is in its Secret, and starts the pods that read it anew", async () => {
  await rehearsal.configureSecrets({ [CLIENT_SECRET]: "another" });
  const wanted = stepsOf(await fine(rehearsal.preview()));
  const done = await fine(rehearsal.up());
  expect(stepsOf(done)).toEqual(wanted);
  expect(wanted).toEqual([
    "replace tokyo-tailscale-operator-secrets-revision",
    "update tokyo-tailscale-operator",
    "update tokyo-tailscale-operator-operator-oauth",
  ]);
  // Pods that start before it would read what stood there.
  const updated = done.finished.filter(({ op }) => op === "update").map(({ name }) => name);
  expect(updated).toEqual(["tokyo-tailscale-operator-operator-oauth", "tokyo-tailscale-operator"]);
  expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
});
