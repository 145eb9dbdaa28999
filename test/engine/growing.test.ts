import { afterEach, describe, expect, test } from "vitest";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { fine, hostKey, openSample, SERVERS, settingsOf, stepsOf } from "./sample.ts";

const RACK = {
  provider: "existing",
  lan: "172.26.0.0/16",
  user: "ops",
  pools: { control: { role: "server", machines: SERVERS } },
};
/** A site of agents, to which what keeps data would go if it were new. */
const ATTIC = {
  provider: "existing",
  lan: "192.168.7.0/24",
  user: "ops",
  pools: { work: { role: "agent", machines: { "b-1": { address: "192.168.7.11", hostKey: hostKey("b-1") } } } },
};
const platform = (nats: object): object => ({ "hybrid-k3s:platform": { nats } });
const NATS = /nats/;

describe("a region that grows by a site of agents", () => {
  let rehearsal: Rehearsal | undefined;
  afterEach(() => rehearsal?.close());

  test("leaves what keeps data where it runs, and asks before a setting moves it", async () => {
    rehearsal = await openSample(settingsOf({ rack: RACK }, platform({ size: "1GiB" })));
    await fine(rehearsal.up());
    await rehearsal.configure(settingsOf({ rack: RACK, attic: ATTIC }, platform({ size: "1GiB" })));
    expect((await rehearsal.guardrails())?.refused).toEqual([]);
    const grown = await fine(rehearsal.up());
    expect(stepsOf(grown)).toContain("create b-1-k3s");
    expect(stepsOf(grown).filter((step) => NATS.test(step))).toEqual([]);

    await rehearsal.configure(
      settingsOf({ rack: RACK, attic: ATTIC }, platform({ size: "1GiB", place: { site: "attic" } })),
    );
    const moved = await rehearsal.preview();
    expect(moved.failure).toContain("platform.nats.place: found nats on attic/work, with volumes on rack/control");
    expect(moved.failure).toContain("write platform.nats.place: { site: rack } to keep it there");
  });
});
