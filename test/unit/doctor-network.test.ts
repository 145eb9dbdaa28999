import { describe, expect, it } from "vitest";
import { checkDevices } from "../../tools/doctor/checks/devices.ts";
import { checkMtu, watchedInterfaces } from "../../tools/doctor/checks/mtu.ts";
import { checkPaths } from "../../tools/doctor/checks/paths.ts";
import { checkRoutes } from "../../tools/doctor/checks/routes.ts";
import { checkSettings } from "../../tools/doctor/checks/settings.ts";
import type { Evidence, Expectations, Way } from "../../tools/doctor/evidence.ts";
import { notLookedAt } from "../../tools/doctor/not-looked-at.ts";
import {
  deviceOf,
  EXPECTATIONS,
  findingsOf,
  healthy,
  lines,
  unreached,
  wellOf,
  WITHOUT_MESH,
  withNodes,
  without,
} from "../support/doctor-evidence.ts";

const NETBIRD: Expectations = {
  ...EXPECTATIONS,
  mesh: { provider: "netbird", interface: "wt0", tag: "tag:k3s-tokyo", siteRule: false },
};

describe("what the doctor says of rules and routes", () => {
  const found = (evidence: Evidence): string[] => findingsOf(checkRoutes, evidence);
  const again =
    "systemctl restart hybrid-k3s-mesh on the host sets it again; if the unit says otherwise than the settings, pulumi up";
  const farRule = { priority: 5300, to: "10.30.0.0/24", action: "unreachable" };

  it("is nothing where they are there, and nothing at all without a mesh", () => {
    expect(found(healthy())).toEqual([]);
    expect(found(healthy(NETBIRD))).toEqual([]);
    expect(wellOf(checkRoutes, healthy())).toBe("rules and routes");
    expect(wellOf(checkRoutes, healthy(WITHOUT_MESH))).toBeUndefined();
  });

  it("is a finding where the site's rule is missing", () => {
    expect(found(withNodes(healthy(), { "s-1": { facts: { rules: [farRule] } } }))).toEqual([
      `s-1: the rule that keeps neighbours on the LAN is not there, so their packets go through the mesh: found none · allowed to 10.20.0.0/24 lookup main, priority 2500 | ${again}`,
    ]);
  });

  it("names a rule that is there for another LAN", () => {
    const rules = [farRule, { priority: 2500, to: "10.99.0.0/24", action: "lookup main" }];
    expect(found(withNodes(healthy(), { "s-1": { facts: { rules } } }))[0]).toContain(
      "found to 10.99.0.0/24 lookup main · allowed to 10.20.0.0/24 lookup main, priority 2500 |",
    );
  });

  it("is a finding where packets to another site could leave in the clear", () => {
    const rules = [{ priority: 2500, to: "10.20.0.0/24", action: "lookup main" }];
    expect(found(withNodes(healthy(), { "s-1": { facts: { rules } } }))).toEqual([
      `s-1: the rule that keeps other sites' packets out of the clear is not there: found none for 10.30.0.0/24 · allowed to each unreachable, priority 5300 | ${again}`,
    ]);
  });

  it("asks for no rule about a LAN that another site shares, and whose machines have their addresses in the mesh", () => {
    const home = { lan: "10.20.0.0/24", nodeAddresses: "mesh" as const };
    const nodes = EXPECTATIONS.nodes.map((node, index) =>
      node.site === "home" ? { ...node, address: `100.64.0.${index + 1}` } : node,
    );
    const evidence = healthy({ ...EXPECTATIONS, nodes, sites: { ...EXPECTATIONS.sites, home } });
    const near = { facts: { rules: [{ priority: 2500, to: "10.20.0.0/24", action: "lookup main" }] } };
    const none = { facts: { rules: [] } };
    expect(found(withNodes(evidence, { "s-1": near, "s-2": near, "a-1": none, "a-2": none }))).toEqual([]);
    expect(found(withNodes(evidence, { "s-1": near, "s-2": none, "a-1": near, "a-2": none }))).toEqual([
      `s-2: the rule that keeps neighbours on the LAN is not there, so their packets go through the mesh: found none · allowed to 10.20.0.0/24 lookup main, priority 2500 | ${again}`,
      `a-1: another site has addresses of this LAN's range, and packets to it stay on this LAN: found to 10.20.0.0/24 lookup main · allowed no rule of priority 2500 | ${again}`,
    ]);
  });

  it.each([
    ["failed", "systemctl restart hybrid-k3s-mesh on the host; if it fails: journalctl -u hybrid-k3s-mesh -n 20"],
    ["not-found", "pulumi up: the host was never made a node of the mesh, or was taken out of it"],
  ])("is a finding where the unit is %s, unless the client's own end is the reason", (state, fix) => {
    const units = (client: string) => ({ facts: { units: { tailscaled: client, "hybrid-k3s-mesh": state } } });
    expect(found(withNodes(healthy(), { "s-1": units("active") }))).toEqual([
      `s-1: found hybrid-k3s-mesh.service ${state} · allowed active | ${fix}`,
    ]);
    expect(found(withNodes(healthy(), { "s-1": units("inactive") }))).toEqual([]);
  });

  it("is a finding where a node's own route is not approved, and none of those that therefore lack it", () => {
    const evidence = withNodes(healthy(), {
      "a-1": { client: { approved: ["100.64.0.3/32"] } },
      "s-1": { facts: { meshRoutes: ["10.30.0.22/32"] } },
      "s-2": { facts: { meshRoutes: ["10.30.0.22/32"] } },
    });
    expect(found(evidence)).toEqual([
      'a-1: its route 10.30.0.21/32 is not approved, so other sites do not reach it | the tailnet\'s policy must hold "autoApprovers": { "routes": { "10.30.0.0/24": ["tag:k3s-tokyo"] } }: set mesh.policy to merge and pulumi up, or approve the route by hand',
    ]);
    // headscale tells everybody but the node itself.
    const routes = { advertised: ["10.30.0.21/32"], approved: ["10.30.0.21/32"] };
    const list = healthy().nodes.map(({ node: { name } }) => deviceOf(name, name === "a-1" ? { routes } : {}));
    expect(found({ ...withNodes(healthy(), { "a-1": { client: { approved: [] } } }), devices: { list } })).toEqual([]);
  });

  it("is a finding where a host has no route to nodes of other sites", () => {
    expect(found(withNodes(healthy(), { "s-1": { facts: { meshRoutes: [] } } }))).toEqual([
      "s-1: no route in table 52 to a-1 (10.30.0.21), a-2 (10.30.0.22) | tailscale set --accept-routes on the host; if the route is still not there, the policy must let nodes reach each other's LAN addresses (a grant to the site's LAN)",
    ]);
    expect(found(withNodes(healthy(NETBIRD), { "s-1": { ways: { "a-1": { device: "eth0" } } } }))).toEqual([
      "s-1: no route by wt0 to a-1 (10.30.0.21) | netbird networks list on the host: are the networks selected, and does a policy of the region allow them? pulumi up sets both",
    ]);
  });

  it("asks for no route to a node that is not in the mesh, nor on a host that is not", () => {
    const less = { facts: { meshRoutes: ["10.30.0.22/32"] } };
    const gone = withNodes(healthy(), { "a-1": { client: { state: "Stopped" } }, "s-1": less, "s-2": less });
    expect(found(gone)).toEqual([]);
    expect(
      found(withNodes(healthy(), { "s-1": { client: { state: "NeedsLogin" }, facts: { meshRoutes: [] } } })),
    ).toEqual([]);
    const list = ["s-1", "s-2", "a-2"].map((name) => deviceOf(name));
    expect(found({ ...withNodes(healthy(), { "s-1": less, "s-2": less }), devices: { list } })).toEqual([]);
  });
});

describe("what the doctor says of ways", () => {
  const found = (evidence: Evidence): string[] => findingsOf(checkPaths, evidence);
  const fromFirst = (ways: Record<string, Partial<Way>>, expectations = EXPECTATIONS): Evidence =>
    withNodes(healthy(expectations), { "s-1": { ways } });

  it("is how many are direct", () => {
    expect(found(healthy())).toEqual([]);
    expect(wellOf(checkPaths, healthy())).toBe("2 direct");
    expect(wellOf(checkPaths, fromFirst({ "a-1": { path: { kind: "peer relay", through: "192.0.2.9:7777" } } }))).toBe(
      "1 peer relay, 1 direct",
    );
    expect(wellOf(checkPaths, healthy(WITHOUT_MESH))).toBe("reaches the others");
  });

  it("is one finding for each site whose nodes are reached by a relay", () => {
    const relayed = { path: { kind: "relayed" as const, through: "tok" } };
    expect(found(fromFirst({ "a-1": relayed, "a-2": relayed }))).toEqual([
      "s-1: packets to a-1, a-2 of site home go through the relay tok, and not directly | open the mesh's UDP port on one of the two sides (its router, its cloud firewall), or set relay: true on a machine with a public address",
    ]);
    expect(found(fromFirst({ "a-2": { path: { kind: "relayed" } } }))[0]).toContain(
      "packets to a-2 of site home go through a relay,",
    );
    // Neighbours talk over the LAN: how the mesh would reach them does not matter.
    expect(found(fromFirst({ "s-2": relayed }))).toEqual([]);
  });

  it("is a finding where the mesh has no path, or does not show a node to another, and pings are none besides", () => {
    const silent = { latency: "none" as const };
    expect(
      found(fromFirst({ "a-1": { path: { kind: "none" }, ...silent }, "a-2": { path: { kind: "unknown peer" } } })),
    ).toEqual([
      "s-1: the mesh does not show it a-2 of site home | the mesh's policy must let the region's nodes reach each other: set mesh.policy to merge and pulumi up, or add the grant by hand",
      "s-1: the mesh finds no path to a-1 of site home | do both sites have a way to the internet, and does a relay answer (tailscale netcheck, netbird status -d, on the host)? UDP must get out",
    ]);
  });

  it("is a finding where pings between node addresses are not answered, whatever they go over", () => {
    const silent = { latency: "none" as const };
    expect(found(fromFirst({ "a-2": silent, "s-2": silent }))).toEqual([
      "s-1: does not reach s-2 (10.20.0.12) of site tokyo over the LAN: no answer to pings | look at the host firewalls, and at the switch or the cloud's rules between the two",
      "s-1: does not reach a-2 (10.30.0.22) of site home through the mesh: no answer to pings | the mesh has a path, but packets between node addresses do not pass: look at the host firewalls, at the policy's grants for the sites' LANs, and at the other host's routes (its own findings)",
    ]);
    expect(found(fromFirst({ "a-2": silent }, WITHOUT_MESH))).toEqual([
      "s-1: does not reach a-2 (10.30.0.22) of site home by routing: no answer to pings | look at the routers between the sites, and at the firewalls: sites without a mesh must reach each other by routing",
    ]);
  });

  it.each<[string, (evidence: Evidence) => Evidence]>([
    ["was not reached", (evidence) => unreached(evidence, "a-1", { phase: "tcp", word: "" })],
    ["is not in the mesh", (evidence) => withNodes(evidence, { "a-1": { client: { state: "Stopped" } } })],
    [
      "has no device",
      (evidence) => ({ ...evidence, devices: { list: ["s-1", "s-2", "a-2"].map((name) => deviceOf(name)) } }),
    ],
    ["has no approved route", (evidence) => withNodes(evidence, { "a-1": { client: { approved: [] } } })],
  ])("has nothing to say of a way to a node that %s", (_, change) => {
    const none = { path: { kind: "none" as const }, latency: "none" as const };
    expect(found(change(fromFirst({ "a-1": none })))).toEqual([]);
  });
});

describe("what the doctor says of MTUs", () => {
  const found = (evidence: Evidence): string[] => findingsOf(checkMtu, evidence);
  const lost = (limit?: number): Partial<Way> => ({
    large: { bytes: 1280, passes: false, ...(limit === undefined ? {} : { limit }) },
  });

  it("is what passes and what the pod network has", () => {
    expect(found(healthy())).toEqual([]);
    expect(wellOf(checkMtu, healthy())).toBe("flannel.1 1230, 1280 bytes pass");
    expect(wellOf(checkMtu, healthy(WITHOUT_MESH))).toBe("flannel.1 1450, 1500 bytes pass");
    expect(watchedInterfaces(EXPECTATIONS)).toEqual(["tailscale0", "flannel.1", "cni0"]);
    const cilium = without(WITHOUT_MESH, "tunnel");
    expect(watchedInterfaces(cilium)).toEqual([]);
    expect(wellOf(checkMtu, healthy(cilium))).toBe("1500 bytes pass");
  });

  it("is a finding for each interface that has another", () => {
    const mtus = { tailscale0: 1200, "flannel.1": 1450, cni0: 1500 };
    expect(found(withNodes(healthy(), { "a-1": { facts: { mtus } } }))).toEqual([
      "a-1: the MTU of tailscale0: found 1200 · allowed 1280 | who set it? take it out (TS_DEBUG_MTU in /etc/default/tailscaled), then restart the client on the host",
      "a-1: the MTU of flannel.1: found 1450 · allowed 1230 | pulumi up writes flannel's settings; then systemctl restart k3s-agent on the host",
      "a-1: the MTU of cni0: found 1500 · allowed 1230 | drain the node and reboot its host: a bridge and its pods keep the MTU that they were made with",
    ]);
    expect(found(withNodes(healthy(NETBIRD), { "a-1": { facts: { mtus: { ...mtus, wt0: 1200 } } } }))[0]).toContain(
      "a-1: the MTU of wt0: found 1200 · allowed 1280 | who set it? take it out (the client's --mtu)",
    );
  });

  it("is a finding where k3s runs without flannel's interface, and none where no pod has made a bridge", () => {
    const mtus = { tailscale0: 1280 };
    expect(found(withNodes(healthy(), { "s-1": { facts: { mtus } } }))).toEqual([
      "s-1: flannel.1 is not there, though k3s runs | journalctl -u k3s on the host, flannel's lines; then systemctl restart k3s",
    ]);
    expect(found(withNodes(healthy(), { "s-1": { facts: { mtus: { ...mtus, "flannel.1": 1230 } } } }))).toEqual([]);
    const units = { k3s: "inactive", tailscaled: "active", "hybrid-k3s-mesh": "active" };
    expect(found(withNodes(healthy(), { "s-1": { facts: { mtus, units } } }))).toEqual([]);
  });

  it("is a finding where a large packet is lost through the mesh, with what would pass where somebody said so", () => {
    const fix =
      "on both hosts tailscale0 must have MTU 1280, and the way outside must carry the mesh's own packets of 1360 bytes: try ping -M do -s 1332 to the other side's outer address, and raise the MTU where it stops";
    expect(found(withNodes(healthy(), { "s-1": { ways: { "a-2": lost() } } }))).toEqual([
      `s-1: a packet of 1280 bytes does not pass to a-2 (10.30.0.22) of site home through the mesh, small ones do | ${fix}`,
    ]);
    expect(found(withNodes(healthy(), { "s-1": { ways: { "a-2": lost(1200) } } }))[0]).toContain(
      "small ones do, 1200 would |",
    );
  });

  it("is a finding where one is lost over the LAN or between routed sites", () => {
    const fix =
      "every interface on the way must have an MTU of 1280 or more: ip link show on both hosts, then the switches and routers between";
    expect(found(withNodes(healthy(), { "s-1": { ways: { "s-2": lost() } } }))).toEqual([
      `s-1: a packet of 1280 bytes does not pass to s-2 (10.20.0.12) of site tokyo over the LAN, small ones do | ${fix}`,
    ]);
    expect(found(withNodes(healthy(WITHOUT_MESH), { "s-1": { ways: { "a-2": lost() } } }))[0]).toContain(
      "of site home by routing, small ones do |",
    );
  });

  it("is no second finding where the mesh has no path, or the other is not in it", () => {
    const none = { "a-2": { ...lost(), path: { kind: "none" as const } } };
    expect(found(withNodes(healthy(), { "s-1": { ways: none } }))).toEqual([]);
    const stopped = { "s-1": { ways: { "a-2": lost() } }, "a-2": { client: { state: "Stopped" } } };
    expect(found(withNodes(healthy(), stopped))).toEqual([]);
  });
});

describe("what the doctor says of devices", () => {
  const found = (...list: ReturnType<typeof deviceOf>[]): string[] =>
    lines(checkDevices({ ...healthy(), devices: { list } }));
  const rest = ["s-1", "s-2", "a-2"].map((name) => deviceOf(name));

  it("is nothing where each node has one, and each of the region's devices is a node", () => {
    expect(lines(checkDevices(healthy()))).toEqual([]);
    expect(
      found(...rest, deviceOf("a-1"), deviceOf("laptop", { tags: [] }), deviceOf("db", { tags: ["tag:db"] })),
    ).toEqual([]);
    expect(found(...rest, deviceOf("A-1"))).toEqual([]);
  });

  it("is a finding for a node without a device", () => {
    expect(found(...rest)).toEqual([
      "a-1: it is a node without a device: the mesh's control plane has none of its name | raise the generation of a-1 and pulumi up: it joins anew",
    ]);
  });

  it("is a finding for a device without a node", () => {
    const stray = deviceOf("old", { address: "100.64.0.9", online: false, lastSeen: new Date("2026-11-01T08:30:00Z") });
    const fix = "if nobody knows it, remove it from the mesh's control plane: it may reach every node of the region";
    expect(found(...rest, deviceOf("a-1"), stray)).toEqual([
      `old (100.64.0.9, id id-old, last seen 2026-11-01 08:30 UTC) carries tag:k3s-tokyo and is a device without a node | ${fix}`,
    ]);
  });

  it("is a finding for a device that does not carry the region's tag, or that nobody let in", () => {
    expect(found(...rest, deviceOf("a-1", { tags: ["tag:other"] }))).toEqual([
      "a-1: its device a-1 (100.64.0.3, id id-a-1, connected) does not carry tag:k3s-tokyo: found tag:other | give it tag:k3s-tokyo in the mesh's control plane; if it is no machine of the region's, remove it and raise the generation of a-1",
    ]);
    expect(found(...rest, deviceOf("a-1", { waitsForApproval: true }))).toEqual([
      "a-1: its device a-1 (100.64.0.3, id id-a-1, connected) waits for somebody to let it in | approve it in the mesh's control plane",
    ]);
  });

  it("leaves a host that joined under another name to what the host says itself", () => {
    const evidence = withNodes(healthy(), { "a-1": { client: { name: "a-1-1" } } });
    const list = [...rest, deviceOf("a-1-1", { hostname: "a-1" })];
    expect(lines(checkDevices({ ...evidence, devices: { list } }))).toEqual([]);
    // The host does not say so: two findings tell it.
    expect(found(...list)).toHaveLength(2);
  });

  it("is nothing where nobody looked", () => {
    expect(checkDevices({ ...healthy(), devices: { notLookedAt: "no credential" } })).toEqual([]);
    expect(checkDevices(healthy(WITHOUT_MESH))).toEqual([]);
  });
});

describe("what the doctor did not look at", () => {
  it("is nothing where all was looked at", () => {
    expect(notLookedAt(healthy())).toEqual([]);
    expect(notLookedAt(healthy(WITHOUT_MESH))).toEqual([]);
  });

  it("is said with the reason", () => {
    const evidence = withNodes(healthy(), { "s-1": { facts: { missing: ["ping"] } } });
    const facts = without(evidence.nodes[1]!.facts!, "clock");
    const nodes = evidence.nodes.map((view) => (view.node.name === "s-2" ? { ...view, facts } : view));
    const { home } = EXPECTATIONS.sites;
    const expectations = { ...EXPECTATIONS, sites: { home: home! } };
    const told = notLookedAt({ ...evidence, nodes, expectations, devices: { notLookedAt: "no credential" } });
    expect(told.map(({ what, why }) => `${what}: ${why}`)).toEqual([
      "devices without a node and nodes without a device: no credential",
      "s-1: all that these tell: the host has no ping · fix: install iputils-ping, iproute2 and coreutils there",
      "s-1: its routes: the settings have no site tokyo any more",
      "s-2: its clock: the host did not tell the time when it was asked",
      "s-2: its routes: the settings have no site tokyo any more",
    ]);
    const mesh = without(EXPECTATIONS.mesh!, "tag");
    expect(notLookedAt({ ...healthy(), expectations: { ...EXPECTATIONS, mesh } })[0]?.why).toBe(
      "the settings do not say which tag or group the region's devices carry",
    );
  });
});

describe("what the doctor says of settings that are not what runs", () => {
  it("is a finding each", () => {
    expect(checkSettings(healthy())).toEqual([]);
    const expectations = {
      ...EXPECTATIONS,
      differences: ["the mesh: the settings say none, the region runs with tailscale"],
    };
    expect(lines(checkSettings({ ...healthy(), expectations }))).toEqual([
      "the settings are not what runs: the mesh: the settings say none, the region runs with tailscale | pulumi preview, then pulumi up; or take the change back",
    ]);
  });
});
