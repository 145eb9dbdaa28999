import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { textOf } from "../../provider/protocol/values.ts";
import { UNKNOWN, type Values } from "../../provider/protocol/wire.ts";
import type { TailnetDevice } from "../../rehearsal/mesh/tailnet-state.ts";
import { TailnetStandIn } from "../../rehearsal/mesh/tailnet.ts";
import type { Lived } from "../support/mesh-operation.ts";
import { heardFrom, meshTypes, wordsOf } from "../support/mesh-types.ts";

// Keys and devices through their lives against a tailnet that is played. Beside it: mesh-policy-resource, mesh-netbird-objects.
const HOUR = 3600;
const TAG = "tag:k3s-tokyo";

let tailnet: TailnetStandIn;
let credential: Values;
beforeEach(async () => {
  tailnet = new TailnetStandIn();
  tailnet.policy = JSON.stringify({ tagOwners: { [TAG]: ["autogroup:admin"], "tag:relay": ["autogroup:admin"] } });
  credential = { apiKey: tailnet.apiKey };
  await tailnet.serve();
});
afterEach(() => tailnet.stop());

const { typed, lived } = meshTypes({
  configuration: () => ({ control: "tailscale", url: tailnet.url, ...credential }),
  now: () => tailnet.clock.now(),
});
/** A machine joins by a key that some other person made. */
function otherJoins(hostname: string): TailnetDevice {
  const given = { description: "by hand", tags: [TAG], preauthorized: true, reusable: false };
  const { id, key } = tailnet.makeKey(given, HOUR);
  const device = tailnet.join({ key, hostname });
  tailnet.keys.delete(id);
  if (typeof device === "string") throw new Error(device);
  return device;
}

describe("JoinKey", () => {
  const wanted = { machine: "tokyo-a", region: "tokyo", tags: [TAG], life: "1" };
  const joinWith = ({ state }: Lived, hostname = "tokyo-a") => tailnet.join({ key: textOf(state["key"]), hostname });

  test("a key works once, for a device that is tagged and let in", async () => {
    const key = lived("JoinKey");
    const { keyId, expires } = await key.create(wanted);
    expect(key.id).toBe(keyId);
    expect(tailnet.keys.get(key.id)).toMatchObject({
      description: "hybrid-k3s tokyo tokyo-a",
      tags: [TAG],
      preauthorized: true,
      reusable: false,
    });
    expect((Date.parse(textOf(expires)) - tailnet.clock.now()) / 1000).toBeCloseTo(HOUR, -1);
    expect(joinWith(key)).toMatchObject({ name: "tokyo-a", tags: [TAG], authorized: true });
    expect(joinWith(key, "tokyo-b")).toContain("not valid");
  });

  test("a device of that name that stands already is refused, and no key is made", async () => {
    const { id, address } = otherJoins("Tokyo-A");
    const said = await wordsOf(lived("JoinKey").create(wanted));
    expect(said).toContain(
      `the mesh has a device called tokyo-a already: tokyo-a (id ${id}, ${address}, connected now)`,
    );
    expect(said).toContain("A second one would become tokyo-a-1 · fix: remove that device from the mesh");
    expect(tailnet.keys.size).toBe(0);
  });

  test("expired before its machine joined: an update mints another in place, and revokes the one before", async () => {
    const key = lived("JoinKey");
    const before = await key.create(wanted);
    expect(await key.diff()).toEqual([]);
    tailnet.clock.advance(HOUR + 1);
    expect(joinWith(key)).toContain("not valid");
    expect(await key.diff()).toEqual(["expires"]);
    const after = await key.update();
    expect(after["key"]).not.toBe(before["key"]);
    expect([...tailnet.keys.keys()]).toEqual([after["keyId"]]);
    expect(joinWith(key)).toMatchObject({ name: "tokyo-a" });
    expect(await key.diff()).toEqual([]);
  });

  test("expired after its machine joined: nothing is to be done, whatever the mesh had to call it", async () => {
    const key = lived("JoinKey");
    const before = await key.create(wanted);
    otherJoins("tokyo-a");
    expect(joinWith(key)).toMatchObject({ name: "tokyo-a-1" });
    tailnet.devices.delete([...tailnet.devices.keys()][0]!);
    tailnet.clock.advance(1000 * HOUR);
    expect(await key.diff()).toEqual([]);
    expect(await key.update()).toEqual(before);
  });

  test("another life is another key of the same resource, though the old machine still stands in the mesh", async () => {
    const key = lived("JoinKey");
    const before = await key.create(wanted);
    joinWith(key);
    expect(await key.diff({ ...wanted, life: "2" })).toEqual(["life"]);
    const after = await key.update({ ...wanted, life: "2" });
    expect(after["keyId"]).not.toBe(before["keyId"]);
    expect([...tailnet.keys.keys()]).toEqual([after["keyId"]]);
    expect(tailnet.devices.size).toBe(1);
  });

  test("a key of another life that expires unused is minted anew: the old machine in the mesh has not joined by it", async () => {
    const key = lived("JoinKey");
    await key.create(wanted);
    joinWith(key);
    tailnet.clock.advance(2 * HOUR);
    const second = await key.update({ ...wanted, life: "2" });
    expect(await key.diff()).toEqual([]);
    tailnet.clock.advance(HOUR + 1);
    expect(await key.diff()).toEqual(["expires"]);
    const third = await key.update();
    expect(third["keyId"]).not.toBe(second["keyId"]);
    tailnet.devices.clear();
    joinWith(key);
    tailnet.clock.advance(HOUR + 1);
    expect(await key.diff()).toEqual([]);
  });

  test("a key of a state that does not say since when counts any device of that name", async () => {
    const key = lived("JoinKey");
    await key.create(wanted);
    joinWith(key);
    delete (key.state as Record<string, unknown>)["since"];
    tailnet.clock.advance(2 * HOUR);
    expect(await key.diff()).toEqual([]);
  });

  test("other tags need no other key; another machine needs another resource", async () => {
    const key = lived("JoinKey");
    const before = await key.create(wanted);
    const tags = [TAG, "tag:relay"];
    expect(await key.diff({ ...wanted, tags })).toEqual(["tags"]);
    expect(await key.update({ ...wanted, tags })).toEqual({ ...before, tags });
    expect(await key.diff({ ...wanted, machine: "tokyo-b" })).toContain("replace");
  });

  test("a key that cannot be revoked is told of, and the new one is kept", async () => {
    const key = lived("JoinKey");
    const before = await key.create(wanted);
    tailnet.server.fail({ status: 403, method: "DELETE", message: `may not revoke ${textOf(before["key"])}` });
    const after = await key.update({ ...wanted, life: "2" });
    expect(heardFrom(key)).toMatch(new RegExp(`the key before, ${textOf(before["keyId"])}, was not revoked: .*403`));
    expect(heardFrom(key)).not.toContain(before["key"]);
    expect(tailnet.keys.has(textOf(after["keyId"]))).toBe(true);
  });

  test("its end revokes it; one that is gone already is fine", async () => {
    const key = lived("JoinKey");
    await key.create(wanted);
    await key.delete();
    expect(tailnet.keys.size).toBe(0);
    await key.delete();
  });

  test.each([
    [{ machine: "Tokyo_A" }, "machine", 'found "Tokyo_A" · allowed a DNS label'],
    [{ tags: [] }, "tags", "none given"],
    [{ lifetimeSeconds: 59 }, "lifetimeSeconds", "found 59 · allowed 60 to 7776000"],
    [{ lifetimeSeconds: 7776001 }, "lifetimeSeconds", "found 7776001"],
  ])("%o is refused in the preview", (change, name, said) => {
    const type = typed("JoinKey")!;
    expect(type.check!({ ...type.defaults, ...wanted, ...change })[name]).toContain(said);
  });

  test("what is not known yet passes, and so does what is right", () => {
    const type = typed("JoinKey")!;
    const unknown = { machine: UNKNOWN, tags: UNKNOWN, lifetimeSeconds: UNKNOWN };
    expect([type.check!({ ...wanted, ...unknown }), type.check!({ ...type.defaults, ...wanted })]).toEqual([{}, {}]);
  });
});

describe("Device", () => {
  const wanted = { machine: "tokyo-a", machineId: "i-1", keyId: "k1", tags: [TAG], waitSeconds: 30 };
  const settled = async (): Promise<{ device: Lived; joined: TailnetDevice }> => {
    const joined = otherJoins("tokyo-a");
    const device = lived("Device");
    await device.create(wanted);
    return { device, joined };
  };

  test("a machine that comes late is waited for, and has an address and a name then", async () => {
    const device = lived("Device");
    const made = device.create(wanted);
    await sleep(50);
    const { id, address } = otherJoins("tokyo-a");
    expect(await made).toMatchObject({ deviceId: id, address, dnsName: "tokyo-a.stand-in.ts.net" });
    expect(heardFrom(device)).toBe("waits for tokyo-a to join the mesh, 0 of 30 s");
    expect(await device.diff()).toEqual([]);
  });

  test("one that does not come in time is told of, with what to do", async () => {
    const made = wordsOf(lived("Device").create(wanted));
    await sleep(30);
    tailnet.clock.advance(31);
    expect(await made).toMatch(
      /^waited 31 s for tokyo-a to join the mesh · fix: does the host reach the control plane\? /,
    );
  });

  test("a name with a suffix is refused, and both devices are named", async () => {
    const first = otherJoins("tokyo-a");
    tailnet.clock.advance(60);
    tailnet.leave(first);
    const second = otherJoins("tokyo-a");
    const said = await wordsOf(lived("Device").create(wanted));
    expect(said).toContain(`tokyo-a joined the mesh as tokyo-a-1 (id ${second.id}, `);
    expect(said).toContain(`for its name was taken by tokyo-a (id ${first.id}, `);
    expect(said).toContain("raise the machine's generation");
    tailnet.devices.delete(first.id);
    expect(await wordsOf(lived("Device").create(wanted))).toContain("taken by a device that is gone by now");
  });

  test("another machine that the mesh calls so is not taken for it", async () => {
    const other = otherJoins("tokyo-a");
    tailnet.devices.set(other.id, { ...other, hostname: "printer" });
    const said = await wordsOf(lived("Device").create(wanted));
    expect(said).toContain("the mesh calls a host tokyo-a that calls itself printer");
    expect(said).toContain("· fix: give that device its own name back, or remove it");
  });

  test("somebody's approval is waited for", async () => {
    tailnet.holdApprovals = true;
    const joined = otherJoins("tokyo-a");
    const device = lived("Device");
    const made = device.create(wanted);
    await sleep(50);
    joined.authorized = true;
    expect(await made).toMatchObject({ deviceId: joined.id });
    expect(heardFrom(device)).toContain(`waits for somebody to approve tokyo-a (id ${joined.id}), 0 of 30 s`);
  });

  test("key expiry is switched off", async () => {
    tailnet.tagsNeverExpire = false;
    const { joined } = await settled();
    expect(joined.keyExpiryDisabled).toBe(true);
  });

  test("a switch that has no effect is noticed", async () => {
    tailnet.tagsNeverExpire = false;
    const joined = otherJoins("tokyo-a");
    Object.defineProperty(joined, "keyExpiryDisabled", { get: () => false, set: () => undefined });
    const said = await wordsOf(lived("Device").create(wanted));
    expect(said).toMatch(/tokyo-a \(id .*\) has to log in again on 20.*: switching that off had no effect · fix: /);
  });

  test("another key alone is no other device; another machine is", async () => {
    const { device, joined } = await settled();
    expect(await device.diff({ ...wanted, keyId: "k2" })).toEqual(["keyId"]);
    expect(await device.update({ ...wanted, keyId: "k2" })).toMatchObject({ deviceId: joined.id, keyId: "k2" });
    expect(await device.diff({ ...wanted, machineId: "i-2" })).toContain("replace");
    expect(await device.diff({ ...wanted, machine: "tokyo-b" })).toContain("replace");
    // How long one would have waited says nothing about a device that is there.
    expect(await device.diff({ ...wanted, keyId: "k2", waitSeconds: 60 })).toEqual([]);
  });

  test("other tags are given to it; tags by hand stay until then", async () => {
    const { device, joined } = await settled();
    joined.tags = [TAG, "tag:relay"];
    await device.update();
    expect(joined.tags).toEqual([TAG, "tag:relay"]);
    await device.update({ ...wanted, tags: ["tag:relay"] });
    expect(joined.tags).toEqual(["tag:relay"]);
  });

  test("one that somebody removed is missed by a refresh; an update waits for it and takes the new one", async () => {
    const { device, joined } = await settled();
    expect(await device.isThere()).toBe(true);
    tailnet.devices.delete(joined.id);
    expect(await device.isThere()).toBe(false);
    const updated = device.update({ ...wanted, keyId: "k2" });
    await sleep(50);
    const again = otherJoins("tokyo-a");
    expect(await updated).toMatchObject({ deviceId: again.id, address: again.address, keyId: "k2" });
    expect(again.id).not.toBe(joined.id);
    expect(heardFrom(device)).toContain("waits for tokyo-a to join the mesh");
  });

  test("its end takes it out of the mesh; one that is gone already is fine", async () => {
    const { device } = await settled();
    await device.delete();
    expect(tailnet.devices.size).toBe(0);
    await device.delete();
  });
});

describe("a preview that cannot look at the mesh", () => {
  const wanted = { machine: "tokyo-a", region: "tokyo", tags: [TAG], life: "1" };
  const missing = (): string => `no credential for tailscale at ${tailnet.url} · fix: set mesh.apiKey`;

  test("without a credential nothing is made, and it is said how to give one", async () => {
    credential = {};
    for (const [name, inputs] of [
      ["JoinKey", wanted],
      ["Device", { machine: "tokyo-a", waitSeconds: 1 }],
      ["TailnetPolicy", { owner: "tokyo", parts: {} }],
    ] as const) {
      expect(await wordsOf(lived(name).create(inputs))).toContain(missing());
    }
    expect(tailnet.server.requests).toEqual([]);
  });

  test("without a credential it says that nothing changed, and what it did not look at", async () => {
    const [key, policy] = [lived("JoinKey"), lived("TailnetPolicy")];
    await key.create(wanted);
    await policy.create({ owner: "tokyo", parts: { tagOwners: { "tag:new": ["autogroup:admin"] } } });
    credential = {};
    tailnet.clock.advance(HOUR + 1);
    tailnet.policy = "{}";
    tailnet.server.requests.length = 0;
    expect([await key.diff(), await key.diff({ ...wanted, life: "2" })]).toEqual([[], ["life"]]);
    expect(heardFrom(key)).toContain(`was not looked at: ${missing()}`);
    expect(await policy.diff()).toEqual([]);
    // A missing credential is no fault of a preview: nothing warns.
    expect([...key.heard.warned, ...policy.heard.warned, ...tailnet.server.requests]).toEqual([]);
    credential = { apiKey: tailnet.apiKey };
    expect([await key.diff(), await policy.diff()]).toEqual([["expires"], ["parts"]]);
  });

  test("a control plane that refuses is warned of, and the preview goes on", async () => {
    const key = lived("JoinKey");
    await key.create(wanted);
    tailnet.clock.advance(HOUR + 1);
    tailnet.server.fail({ status: 403, message: "not today" });
    expect(await key.diff()).toEqual([]);
    expect(key.heard.warned.join()).toMatch(/^whether tokyo-a has joined was not looked at: GET .* 403 not today$/);
    expect(await key.diff()).toEqual(["expires"]);
  });
});
