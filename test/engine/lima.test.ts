import { afterEach, expect, test } from "vitest";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { applyEdit, fine, hostKey, machine, openSample, SERVERS, settingsOf, stepsOf } from "./sample.ts";

let rehearsal: Rehearsal;
afterEach(async () => {
  await rehearsal.close();
});

const HOST = { address: "imac.example.net", user: "ops", hostKey: hostKey("imac") };
const MAC = "imac.example.net:22";
const rack = { provider: "existing", lan: "172.26.0.0/16", pools: { control: { role: "server", machines: SERVERS } } };
const mac = (machines: object, more: object = {}) => ({
  provider: "lima",
  host: HOST,
  ...more,
  pools: { home: { role: "agent", machines } },
});
const region = (machines: object, more: object = {}) => settingsOf({ rack, mac: mac(machines, more) });

test("more memory drains the node, stops, edits and starts the VM, and gives the node its work back", async () => {
  rehearsal = await openSample(region({ "vm-a": {}, "vm-b": {} }));
  await fine(rehearsal.up());
  const before = rehearsal.world.host("vm-a");
  const edit = await applyEdit(rehearsal, region({ "vm-a": { memory: "8GiB" }, "vm-b": {} }));
  expect(edit.steps).toEqual(["update vm-a-member", "update vm-a-pause", "update vm-a-vm"]);
  expect(edit.finished).toEqual(["update vm-a-pause", "update vm-a-vm", "update vm-a-member"]);
  expect(edit.events.filter(({ kind }) => kind === "change").map(({ text }) => text)).toEqual([
    "vm-a drained",
    "tokyo-vm-a stopped",
    "tokyo-vm-a edited: 2 8 40",
    "tokyo-vm-a started",
    "vm-a uncordoned",
  ]);
  expect(edit.second).toEqual([]);
  expect(rehearsal.world.host("vm-a")).toBe(before);
  expect(rehearsal.world.cluster("tokyo")?.nodes.get("vm-a")?.cordoned).toBe(false);
  expect((await rehearsal.deployed())?.nodes.find(({ name }) => name === "vm-a")?.shape).toBe(
    "2 CPUs, 8 GiB, 40 GiB disk",
  );
});

test("a resize that was interrupted goes on where it stopped, and drains no second time", async () => {
  rehearsal = await openSample(region({ "vm-a": {} }));
  await fine(rehearsal.up());
  rehearsal.world.faults.add({ kind: "ssh-dropped", host: MAC, script: "lima-vm", action: "converge", afterSteps: 2 });
  await rehearsal.configure(region({ "vm-a": { cpus: 4 } }));
  expect((await rehearsal.up()).failure).toContain("broke while the script ran");
  expect(rehearsal.world.host("vm-a").alive).toBe(false);
  const events = rehearsal.world.events.length;
  await fine(rehearsal.up());
  expect(rehearsal.world.host("vm-a").alive).toBe(true);
  const texts = rehearsal.world.events.slice(events).map(({ text }) => text);
  expect(texts).not.toContain("vm-a drained");
  expect(texts).toContain("vm-a uncordoned");
  expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
});

test("a disk grows in place, and is not made smaller", async () => {
  rehearsal = await openSample(region({ "vm-a": { disk: "100GiB" } }));
  await fine(rehearsal.up());
  const grown = await applyEdit(rehearsal, region({ "vm-a": { disk: "200GiB" } }));
  expect(grown.finished).toEqual(["update vm-a-pause", "update vm-a-vm", "update vm-a-member"]);
  await rehearsal.configure(region({ "vm-a": { disk: "50GiB" } }));
  expect((await rehearsal.up()).failure).toContain(
    "the disk of tokyo-vm-a: found 50GiB in the settings · allowed 200GiB, its size now, or more: a disk grows and never shrinks",
  );
});

test("another image waits for the next generation, and every preview says so", async () => {
  rehearsal = await openSample(region({ "vm-a": {} }));
  await fine(rehearsal.up());
  await rehearsal.configure(region({ "vm-a": { image: "debian-13" } }));
  const preview = await fine(rehearsal.preview());
  expect(stepsOf(preview)).toEqual([]);
  expect(preview.messages.map(({ text }) => text)).toContain(
    "vm-a.image: the machine has ubuntu-24.04, and the settings say debian-13 · it stays as it is until its next generation · fix: set generation: 2 to replace the machine, or write ubuntu-24.04 again",
  );
});

test("a data disk and another network wait too, and until then the VM is reached as it was made", async () => {
  rehearsal = await openSample(region({ "vm-a": {} }));
  await fine(rehearsal.up());
  const edit = await applyEdit(rehearsal, region({ "vm-a": { data: "10GiB" } }, { network: "user-v2" }));
  expect(edit.steps).toEqual(["update vm-a-host", "update vm-a-vm"]);
  expect(edit.second).toEqual([]);
  const preview = await fine(rehearsal.preview());
  const waiting = preview.messages
    .map(({ text }) => text.split(" · ")[0])
    .filter((text) => text?.startsWith("vm-a."))
    .sort();
  expect(waiting).toEqual([
    "vm-a.data: the machine has none, and the settings say 10GiB",
    "vm-a.network: the machine has shared, and the settings say user-v2",
  ]);
  const anew = await applyEdit(rehearsal, region({ "vm-a": { data: "10GiB", generation: 2 } }, { network: "user-v2" }));
  expect(anew.second).toEqual([]);
  expect(rehearsal.world.host("vm-a").endpoint).toMatch(/>127\.0\.0\.1:2\d{4}$/);
});

test("a raised generation makes one VM anew: the node leaves first, and the data disk stays", async () => {
  rehearsal = await openSample(region({ "vm-a": { data: "10GiB" }, "vm-b": {} }));
  await fine(rehearsal.up());
  const before = rehearsal.world.host("vm-a");
  const edit = await applyEdit(rehearsal, region({ "vm-a": { data: "10GiB", generation: 2 }, "vm-b": {} }));
  expect(edit.steps).toEqual(["address", "host", "k3s", "member", "vm"].map((part) => `replace vm-a-${part}`));
  expect(edit.scripts).toEqual([
    "k3s-member leave vm-a",
    "lima-vm delete vm-a",
    "lima-vm create vm-a",
    "lima-address read vm-a",
    "host-baseline prepare vm-a",
    "k3s-node install vm-a",
    "k3s-member join vm-a",
  ]);
  expect(edit.second).toEqual([]);
  expect(rehearsal.world.host("vm-a")).not.toBe(before);
  expect([...rehearsal.world.lima.get(MAC).disks]).toEqual(["tokyo-vm-a"]);
});

test("a destroy takes the VMs, and the data disk only where the settings say so", async () => {
  rehearsal = await openSample(region({ "vm-a": { data: "10GiB" }, "vm-b": { data: "10GiB", deleteData: true } }));
  await fine(rehearsal.up());
  await fine(rehearsal.destroy());
  expect([...rehearsal.world.lima.get(MAC).vms.keys()]).toEqual([]);
  expect([...rehearsal.world.lima.get(MAC).disks]).toEqual(["tokyo-vm-a"]);
});

test.each([
  ["without limactl", { version: undefined }, "this host has no limactl · fix: install Lima 2.0.0 or newer"],
  [
    "with an older Lima",
    { version: "1.2.1" },
    "limactl: found 1.2.1 · allowed 2.0.0 or newer · fix: brew upgrade lima",
  ],
  ["without socket_vmnet", { socketVmnet: false }, "this host has no /opt/socket_vmnet/bin/socket_vmnet"],
])("a host %s is told what to install, and what it lacked is all that is left to do", async (_, lacks, message) => {
  rehearsal = await openSample(region({ "vm-a": {} }));
  const host = rehearsal.world.lima.get(MAC);
  const whole = { version: host.version, socketVmnet: host.socketVmnet };
  Object.assign(host, lacks);
  expect((await rehearsal.up()).failure).toContain(message);
  Object.assign(host, whole);
  await fine(rehearsal.up());
  expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
});

test("a VM of that name that somebody else made is refused, and neither adopted nor deleted", async () => {
  rehearsal = await openSample(region({ "vm-a": {} }));
  const theirs = rehearsal.world.addHost({
    name: "theirs",
    endpoint: "192.168.105.9:22",
    address: "192.168.105.9",
    network: "theirs",
    hostKey: hostKey("theirs"),
  });
  const { vms } = rehearsal.world.lima.get(MAC);
  vms.set("tokyo-vm-a", { owner: "somebody", host: theirs, size: [1, 1, 10] });
  expect((await rehearsal.up()).failure).toContain(
    "a VM named tokyo-vm-a is on this host already, and hybrid-k3s did not make it for this stack: it is never adopted and never deleted",
  );
  await fine(rehearsal.destroy());
  expect(vms.get("tokyo-vm-a")?.host.alive).toBe(true);
});

test("an agent pool moves to another site: the new nodes join before the old ones leave", async () => {
  const attic = {
    provider: "existing",
    lan: "10.20.0.0/24",
    pools: { home: { role: "agent", machines: { "a-1": machine("a-1", 1, { address: "10.20.0.21" }) } } },
  };
  rehearsal = await openSample(settingsOf({ rack, attic }));
  await fine(rehearsal.up());
  const edit = await applyEdit(rehearsal, settingsOf({ rack, mac: mac({ "vm-a": {} }) }));
  expect(edit.steps).toEqual(
    [
      ...["delete a-1-host", "delete a-1-k3s", "delete a-1-member"],
      ...["create tokyo-mac-owner", "delete tokyo-attic-owner"],
      ...["address", "host", "k3s", "member", "pause", "vm"].map((part) => `create vm-a-${part}`),
    ].sort(),
  );
  expect(edit.scripts).toEqual([
    "lima-vm create vm-a",
    "lima-address read vm-a",
    "host-baseline prepare vm-a",
    "k3s-node install vm-a",
    "k3s-member join vm-a",
    "k3s-member leave a-1",
    "existing-host release a-1",
  ]);
  expect(edit.second).toEqual([]);
  await rehearsal.configure(
    settingsOf({
      rack,
      attic: {
        ...attic,
        pools: { home: { role: "agent", machines: { "vm-a": machine("vm-a", 1, { address: "10.20.0.21" }) } } },
      },
    }),
  );
  expect((await rehearsal.preview()).failure).toContain("machine-moved");
});

test("a host behind a machine of another site is reached through it", async () => {
  const attic = {
    provider: "existing",
    lan: "10.20.0.0/24",
    jump: { machine: "vm-a" },
    pools: { home: { role: "agent", machines: { "a-1": machine("a-1", 1, { address: "10.20.0.21" }) } } },
  };
  const here = { provider: "lima", pools: { home: { role: "agent", machines: { "vm-a": {} } } } };
  rehearsal = await openSample(settingsOf({ rack, attic, here }));
  await fine(rehearsal.up());
  expect(rehearsal.world.cluster("tokyo")?.ready("a-1")).toBe(true);
  expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
});
