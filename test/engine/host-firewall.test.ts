import { afterEach, expect, test } from "vitest";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import {
  AGENTS,
  applyEdit,
  fine,
  hostKey,
  machine,
  openSample,
  scriptsDuring,
  SERVERS,
  settingsOf,
  stepsOf,
} from "./sample.ts";

let rehearsal: Rehearsal;
afterEach(async () => {
  await rehearsal.close();
});

const MANAGED_FROM = "198.51.100.7/32";

/** Three servers and two agents that stand already, each with a firewall of its own. */
const region = ({
  servers = SERVERS,
  agents = AGENTS,
  from = [MANAGED_FROM],
  enabled = true,
}: {
  servers?: Readonly<Record<string, object>>;
  agents?: Readonly<Record<string, object>>;
  from?: readonly string[];
  enabled?: boolean;
} = {}) =>
  settingsOf(
    {
      rack: {
        provider: "existing",
        lan: "172.26.0.0/16",
        user: "ops",
        access: { from },
        pools: { control: { role: "server", machines: servers }, work: { role: "agent", machines: agents } },
      },
    },
    { "hybrid-k3s:hostFirewall": { enabled } },
  );

const rulesOf = (name: string): string | undefined => rehearsal.world.host(name).firewall.confirmed;
/** Nothing of the firewall is on a host. */
const NO_FIREWALL = { confirmed: undefined, pending: undefined, rolledBack: false };

test("a node's firewall stands, confirmed, before anything of k3s is on its host", async () => {
  rehearsal = await openSample(region());
  const scripts = await scriptsDuring(rehearsal, () => fine(rehearsal.up()));
  for (const name of Object.keys({ ...SERVERS, ...AGENTS })) {
    expect(scripts.filter((line) => line.endsWith(` ${name}`))).toEqual([
      `existing-host claim ${name}`,
      `host-firewall apply ${name}`,
      `host-firewall confirm ${name}`,
      `k3s-node install ${name}`,
      `k3s-member join ${name}`,
    ]);
  }
  expect(scripts.filter((line) => /^host-firewall apply s|^k3s-member join s/.test(line))).toEqual(
    ["s-1", "s-2", "s-3"].flatMap((name) => [`host-firewall apply ${name}`, `k3s-member join ${name}`]),
  );
  expect(rulesOf("s-1")).toContain("ip saddr @ssh_ipv4 tcp dport 22 accept");
  expect(rulesOf("s-1")).toContain("ip saddr @ssh_ipv4 tcp dport 6443 accept");
  expect(rulesOf("a-1")).not.toContain("6443");
  expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  await fine(rehearsal.destroy());
  for (const name of Object.keys({ ...SERVERS, ...AGENTS })) {
    expect(rehearsal.world.host(name)).toMatchObject({ firewall: NO_FIREWALL, claim: undefined });
  }
});

test("another public port is a step of that node's firewall, and its membership waits for Ready again", async () => {
  rehearsal = await openSample(region());
  await fine(rehearsal.up());
  const agents = { ...AGENTS, "a-2": machine("a-2", 22, { publicPorts: ["25565/tcp"], ingress: true }) };
  const edit = await applyEdit(rehearsal, region({ agents }));
  expect(edit.steps).toEqual(["update a-2-firewall", "update a-2-member"]);
  expect(edit.finished).toEqual(["update a-2-firewall", "update a-2-member"]);
  expect(edit.scripts).toEqual(["host-firewall apply a-2", "host-firewall confirm a-2", "k3s-member converge a-2"]);
  expect(rulesOf("a-2")).toContain("tcp dport { 80, 443, 25565 } accept");
  expect(edit.second).toEqual([]);
});

test("another range that may come in goes from server to server, each Ready before the next one's turn", async () => {
  rehearsal = await openSample(region());
  await fine(rehearsal.up());
  const edit = await applyEdit(rehearsal, region({ from: [MANAGED_FROM, "192.0.2.0/24"] }));
  expect(edit.steps).toEqual(
    ["a-1", "a-2", "s-1", "s-2", "s-3"].flatMap((name) => [`update ${name}-firewall`, `update ${name}-member`]),
  );
  expect(edit.finished.slice(0, 6)).toEqual(
    ["s-1", "s-2", "s-3"].flatMap((name) => [`update ${name}-firewall`, `update ${name}-member`]),
  );
  expect(edit.second).toEqual([]);
});

test("a machine that is replaced gives its host back without a firewall, and gets one anew", async () => {
  rehearsal = await openSample(region());
  await fine(rehearsal.up());
  const servers = { ...SERVERS, "s-2": machine("s-2", 12, { generation: 2 }) };
  const edit = await applyEdit(rehearsal, region({ servers }));
  expect(edit.steps).toEqual(["replace s-2-firewall", "replace s-2-host", "replace s-2-k3s", "replace s-2-member"]);
  expect(edit.scripts).toEqual([
    "k3s-member leave s-2",
    "host-firewall remove s-2",
    "existing-host release s-2",
    "existing-host claim s-2",
    "host-firewall apply s-2",
    "host-firewall confirm s-2",
    "k3s-node install s-2",
    "k3s-member join s-2",
  ]);
  expect(edit.second).toEqual([]);
});

test("a machine that is removed leaves nothing of the firewall on its host", async () => {
  rehearsal = await openSample(region());
  await fine(rehearsal.up());
  const { "a-1": removed, ...agents } = AGENTS;
  expect(removed).toBeDefined();
  const edit = await applyEdit(rehearsal, region({ agents }));
  expect(edit.steps).toEqual(["delete a-1-firewall", "delete a-1-host", "delete a-1-k3s", "delete a-1-member"]);
  expect(edit.scripts).toEqual(["k3s-member leave a-1", "host-firewall remove a-1", "existing-host release a-1"]);
  expect(rehearsal.world.host("a-1")).toMatchObject({ firewall: NO_FIREWALL, claim: undefined });
  expect(edit.second).toEqual([]);
});

test("a firewall that is switched on or off is a step of each node, and touches no k3s", async () => {
  rehearsal = await openSample(region({ enabled: false }));
  await fine(rehearsal.up());
  const names = ["a-1", "a-2", "s-1", "s-2", "s-3"];
  const on = await applyEdit(rehearsal, region());
  expect(on.steps).toEqual([
    ...names.map((name) => `create ${name}-firewall`),
    ...names.map((name) => `update ${name}-member`),
  ]);
  expect(on.second).toEqual([]);
  const off = await applyEdit(rehearsal, region({ enabled: false }));
  expect(off.steps).toEqual([
    ...names.map((name) => `delete ${name}-firewall`),
    ...names.map((name) => `update ${name}-member`),
  ]);
  expect(names.map((name) => rehearsal.world.host(name).firewall)).toEqual(names.map(() => NO_FIREWALL));
  expect(off.second).toEqual([]);
});

test("a change that shuts this computer out fails its step, is taken back, and is healed by the next run", async () => {
  rehearsal = await openSample(region());
  await fine(rehearsal.up());
  const before = rulesOf("s-2");
  rehearsal.world.faults.add({ kind: "shut-out", host: "s-2" });
  await rehearsal.configure(region({ from: ["192.0.2.7/32"] }));
  const first = await rehearsal.up();
  expect(first.failure).toContain("s-2-firewall");
  expect(first.failure).toContain("the host itself rolls back within a minute what host-firewall apply changed");
  expect(first.failure).toContain(
    "check: does the change let this computer in, at the address that the host sees (access.from, the jump host, the mesh)? then run again",
  );
  expect(rulesOf("s-2")).toBe(before);
  // The server before it is Ready with the new rules; the ones after it are as they were.
  expect(rulesOf("s-1")).toContain("192.0.2.7/32");
  expect(rulesOf("s-3")).toBe(before);
  const scripts = await scriptsDuring(rehearsal, () => fine(rehearsal.up()));
  expect(scripts.slice(0, 3)).toEqual([
    "host-firewall apply s-2",
    "host-firewall confirm s-2",
    "k3s-member converge s-2",
  ]);
  expect(rulesOf("s-3")).toContain("192.0.2.7/32");
  expect(rehearsal.world.host("s-2").firewall.rolledBack).toBe(false);
  expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
});

test("machines that we make get a firewall with every generation, and take it with them in the end", async () => {
  const mixed = (generation: number) =>
    settingsOf(
      {
        cloud: {
          provider: "lightsail",
          awsRegion: "ap-northeast-1",
          access: { from: [MANAGED_FROM] },
          pools: {
            web: { role: "agent", bundle: "medium_3_0", ingress: true, machines: { web: { zone: "a", generation } } },
          },
        },
        mac: { provider: "lima", pools: { home: { role: "agent", machines: { vm: { generation } } } } },
        rack: {
          provider: "existing",
          lan: "10.20.0.0/24",
          // On their LAN: no range needs to be named.
          jump: { host: "10.20.0.1", hostKey: hostKey("jump") },
          pools: { control: { role: "server", machines: { s: { address: "10.20.0.11", hostKey: hostKey("s") } } } },
        },
      },
      { "hybrid-k3s:hostFirewall": { enabled: true } },
    );
  rehearsal = await openSample(mixed(1));
  await fine(rehearsal.up());
  expect(rulesOf("web")).toContain("tcp dport { 80, 443 } accept");
  expect(rulesOf("vm")).toContain("192.168.5.2/32");
  expect(rulesOf("s")).not.toContain("ssh_ipv4");
  expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  const edit = await applyEdit(rehearsal, mixed(2));
  expect(edit.steps.filter((step) => step.includes("firewall"))).toEqual([
    "replace vm-firewall",
    "replace web-firewall",
  ]);
  for (const name of ["vm", "web"]) {
    expect(edit.scripts.filter((line) => line.startsWith("host-firewall") && line.endsWith(` ${name}`))).toEqual([
      `host-firewall remove ${name}`,
      `host-firewall apply ${name}`,
      `host-firewall confirm ${name}`,
    ]);
  }
  expect(edit.second).toEqual([]);
  const destroyed = await scriptsDuring(rehearsal, () => fine(rehearsal.destroy()));
  expect(destroyed.filter((line) => line.startsWith("host-firewall"))).toEqual(["host-firewall remove s"]);
});

test("a host that is dead keeps nobody from removing its machine", async () => {
  rehearsal = await openSample(region());
  await fine(rehearsal.up());
  rehearsal.world.host("a-1").alive = false;
  const { "a-1": removed, ...agents } = AGENTS;
  expect(removed).toBeDefined();
  const edit = await applyEdit(rehearsal, region({ agents }));
  expect(edit.steps).toEqual(["delete a-1-firewall", "delete a-1-host", "delete a-1-k3s", "delete a-1-member"]);
  expect(edit.second).toEqual([]);
});

test("hosts that nobody says the way in to are refused before anything is touched", async () => {
  const { "hybrid-k3s:sites": sites, ...rest } = region() as { "hybrid-k3s:sites": { rack: { access?: object } } };
  const { access, ...rack } = sites.rack;
  expect(access).toBeDefined();
  rehearsal = await openSample({ ...rest, "hybrid-k3s:sites": { rack } });
  const { failure } = await rehearsal.preview();
  expect(failure).toContain(
    "  no-way-in: a machine's firewall lets in nobody that the settings do not name: not this computer either",
  );
  expect(failure).toContain('access: { from: ["172.26.0.0/16"] }');
  expect(rehearsal.world.events).toEqual([]);
});
