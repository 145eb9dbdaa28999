import { afterEach, describe, expect, test } from "vitest";
import type { RunRecord } from "../../rehearsal/engine/steps.ts";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { fine, openSample, sampleSettings, stepsOf } from "./sample.ts";

let rehearsal: Rehearsal;
afterEach(async () => {
  await rehearsal.close();
});

/** Starts an update and waits until it hangs at the creation of a resource, or ends without; it is returned in a box. */
async function upUntilItHangs(resource: string): Promise<{ readonly ended: Promise<RunRecord> }> {
  const { faults } = rehearsal.world;
  faults.add({ kind: "hang", resource, action: "create" });
  const hangs = new Promise<void>((resolve) => {
    faults.onHang = () => {
      resolve();
    };
  });
  const ended = rehearsal.up();
  await Promise.race([hangs, ended]);
  return { ended };
}

// The state is written after every step here, as in real life.
describe("an update that is interrupted", () => {
  test("ends, keeps what was done, and the next update finishes", async () => {
    rehearsal = await openSample(sampleSettings(), { checkpoints: true });
    const { world } = rehearsal;
    const first = await upUntilItHangs("s-2-k3s");
    rehearsal.session.interrupt();
    expect((await first.ended).failure).toContain("s-2-k3s");
    const left = stepsOf(await fine(rehearsal.preview()));
    expect(left).toContain("create s-2-k3s");
    expect(left).not.toContain("create s-1-k3s");
    await fine(rehearsal.up());
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
    expect(world.clusters).toHaveLength(1);
  });
});

describe("two updates at the same time", () => {
  test("the second one is refused by the lock of the state", async () => {
    rehearsal = await openSample(sampleSettings({ agents: {} }), { checkpoints: true });
    const first = await upUntilItHangs("s-1-k3s");
    const second = await rehearsal.session.upBeside();
    expect(second.failure).toMatch(/the stack is currently locked by 1 lock/);
    rehearsal.session.interrupt();
    await first.ended;
    await fine(rehearsal.up());
  });
});
