import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { AGENTS, fine, machine, openSample, sampleSettings, SERVERS, stepsOf } from "./sample.ts";

const agents = {
  ...AGENTS,
  "a-2": machine("a-2", 22, { labels: { tier: "edge", disk: "fast" }, taints: ["dedicated=edge:NoSchedule"] }),
  "a-3": machine("a-3", 23),
};
/** Fewer lanes than agents, so that agents follow one another too. */
const kubernetes = { parallelism: 2 };
const servers = SERVERS;

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await openSample(sampleSettings({ servers, agents, kubernetes }));
  await fine(rehearsal.up());
});
afterAll(async () => {
  await rehearsal.close();
});

const accept = { "even-servers": "one server is removed" };
const reordered = (entries: Readonly<Record<string, object>>, order: readonly string[]): Record<string, object> =>
  Object.fromEntries(order.filter((name) => name in entries).map((name) => [name, entries[name] ?? {}]));

const names = Object.keys({ ...servers, ...agents });

/** At most one entry goes, and all stand in any order. */
const edits = fc.record({
  removed: fc.option(fc.constantFrom(...names), { nil: undefined }),
  order: fc.shuffledSubarray(names, { minLength: 6 }),
});

test("removing or reordering entries changes the resources of the removed entry only", async () => {
  await fc.assert(
    fc.asyncProperty(edits, async ({ removed, order }) => {
      const kept = order.filter((name) => name !== removed);
      await rehearsal.configure(
        sampleSettings({
          servers: reordered(servers, kept),
          agents: reordered(agents, kept),
          kubernetes,
          ...(removed !== undefined && removed in servers ? { accept } : {}),
        }),
      );
      const steps = stepsOf(await fine(rehearsal.preview()));
      // The first server's address is the API's in the kubeconfig: the provider follows it, in place.
      const own = steps.filter((step) => removed !== "s-1" || step !== "update tokyo-kubernetes");
      const expected = ["host", "k3s", "member"].map((part) => `delete ${removed ?? ""}-${part}`);
      expect(own).toEqual(removed === undefined ? [] : expected);
    }),
    {
      numRuns: 8,
      endOnFailure: true,
      examples: [[{ removed: "s-1", order: names }], [{ removed: "s-2", order: [...names].reverse() }]],
    },
  );
});
