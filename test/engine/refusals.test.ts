import { afterAll, beforeAll, expect, test } from "vitest";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { fine, machine, openSample, sampleSettings, SERVERS } from "./sample.ts";

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await openSample();
  await fine(rehearsal.up());
});
afterAll(async () => {
  await rehearsal.close();
});

const newGeneration = (name: string, last: number) => ({ [name]: machine(name, last, { generation: 2 }) });

test("two servers replaced in one update are refused by the preview, in these words", async () => {
  const servers = { ...SERVERS, ...newGeneration("s-1", 11), ...newGeneration("s-2", 12) };
  await rehearsal.configure(sampleSettings({ servers }));
  const before = rehearsal.world.events.length;
  for (const run of [() => rehearsal.preview(), () => rehearsal.up()]) {
    expect((await run()).failure).toBe(
      [
        "1 guardrail refuses this update. Nothing was touched.",
        "  quorum-loss: etcd answers only while most of its members do: servers are replaced or removed one per update",
        "    sites: found 2 servers replaced, removed or restarted at once: s-1 (generation 1 → 2), s-2 (generation 1 → 2) · allowed one server replaced, removed, restarted or turned into another role per update · fix: keep the change of s-1 and undo the others; make them one update each",
      ].join("\n"),
    );
  }
  expect(rehearsal.world.events).toHaveLength(before);
});

test("all problems of the settings are listed at once, and nothing is touched", async () => {
  await rehearsal.configure(sampleSettings({ kubernetes: { version: "1.36", paralelism: 3 } }));
  const { failure } = await rehearsal.preview();
  expect(failure).toMatch(/^2 problems in the settings:\n/);
  expect(failure).toContain('kubernetes.version: found "1.36"');
  expect(failure).toContain("paralelism");
});

test("after a refusal the old settings still are a clean preview", async () => {
  await rehearsal.configure(sampleSettings());
  expect((await fine(rehearsal.preview())).steps).toEqual([]);
});

test("an accepted guardrail is printed, with its reason, in every preview", async () => {
  const servers = { "s-1": SERVERS["s-1"], "s-2": SERVERS["s-2"] };
  const accepting = await openSample(
    sampleSettings({ servers, accept: { "even-servers": "until the third arrives" } }),
  );
  try {
    const line = "guardrail even-servers accepted (until the third arrives): sites: found 2 servers";
    for (const run of [() => accepting.preview(), () => accepting.up(), () => accepting.preview()]) {
      const { messages } = await fine(run());
      expect(messages.filter(({ text }) => text.includes(line))).not.toEqual([]);
    }
  } finally {
    await accepting.close();
  }
});
