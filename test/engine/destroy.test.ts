import { afterEach, expect, test } from "vitest";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { fine, openSample, sampleSettings } from "./sample.ts";

let rehearsal: Rehearsal;
afterEach(async () => {
  await rehearsal.close();
});

const platform = { "cert-manager": {} };

test("a destroy cleans every host, and asks nothing of the cluster", async () => {
  rehearsal = await openSample(sampleSettings({ platform }));
  await fine(rehearsal.up());
  const before = rehearsal.world.events.length;
  await fine(rehearsal.destroy());
  const events = rehearsal.world.events.slice(before);
  expect([...new Set(events.map(({ script, action }) => `${script} ${action}`))]).toEqual(["existing-host release"]);
  for (const host of rehearsal.world.hosts.values()) {
    expect(host).toMatchObject({ claim: undefined, k3s: { datastore: false, running: false } });
  }
});

test("a destroy with every host dead ends, and says what stays on which host", async () => {
  rehearsal = await openSample(sampleSettings({ platform }));
  await fine(rehearsal.up());
  for (const host of rehearsal.world.hosts.values()) host.alive = false;
  const before = rehearsal.world.events.length;
  await fine(rehearsal.destroy());
  // Simulated seconds: hosts are given up side by side, each after its own budget.
  expect(Math.max(...rehearsal.world.durations.values())).toBeLessThan(60);
  expect(await rehearsal.session.state()).toEqual([]);
  const left = rehearsal.world.events.slice(before).map(({ text, node }) => [node, text.slice(0, 24)]);
  expect(left.sort()).toEqual(
    ["a-1", "a-2", "s-1", "s-2", "s-3"].map((name) => [name, `left as it is: TCP: ${name} `]),
  );
});
