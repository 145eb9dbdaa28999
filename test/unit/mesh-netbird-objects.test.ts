import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { textOf } from "../../provider/protocol/values.ts";
import type { Values } from "../../provider/protocol/wire.ts";
import type { NetbirdGroup, NetbirdPeer } from "../../rehearsal/mesh/netbird-state.ts";
import { NetbirdStandIn } from "../../rehearsal/mesh/netbird.ts";
import type { Lived } from "../support/mesh-operation.ts";
import { meshTypes, wordsOf } from "../support/mesh-types.ts";

// NetBird's objects, keys and peers through their lives, against a management service that is played.
let netbird: NetbirdStandIn;
let group: NetbirdGroup;
beforeEach(async () => {
  netbird = new NetbirdStandIn();
  group = netbird.addGroup("k3s-mn");
  await netbird.serve();
});
afterEach(() => netbird.stop());

const { lived } = meshTypes({
  configuration: () => ({ control: "netbird", url: netbird.url, token: netbird.token }),
  now: () => netbird.clock.now(),
});
const created = async (name: string, inputs: Values): Promise<Lived> => {
  const object = lived(name);
  await object.create(inputs);
  return object;
};
/** What the service keeps of an object. */
const kept = (path: string): Record<string, unknown> => ({ ...netbird.objects.get(path) });
const joins = (hostname: string): NetbirdPeer => {
  const { id, key } = netbird.makeKey({ name: "by hand", groups: [group.id], limit: 1 }, 3600);
  const peer = netbird.join({ key, hostname });
  netbird.keys.delete(id);
  if (typeof peer === "string") throw new Error(peer);
  return peer;
};
const rule = { name: "r", enabled: true, action: "accept", bidirectional: true, protocol: "tcp" };

describe("groups", () => {
  test("one is made and renamed with its members in it, and goes", async () => {
    const made = await created("NetbirdGroup", { name: "k3s-ops" });
    const [peer, theirs] = [joins("mn-a"), [{ id: "resources9", type: "host" }]];
    const there = netbird.groups.get(made.id)!;
    there.peers.add(peer.id);
    there.resources = theirs;
    expect(await made.diff({ name: "k3s-operators" })).toEqual(["name"]);
    await made.update({ name: "k3s-operators" });
    expect(there).toEqual({ id: made.id, name: "k3s-operators", peers: new Set([peer.id]), resources: theirs });
    expect(await made.isThere()).toBe(true);
    await made.delete();
    expect(netbird.groups.has(made.id)).toBe(false);
    expect(await made.isThere()).toBe(false);
    await made.delete();
  });

  test("a name that is taken, and a group that is in use, are refused in the service's own words", async () => {
    expect(await wordsOf(created("NetbirdGroup", { name: "k3s-mn" }))).toMatch(
      /^POST http:\S+\/api\/groups: 409 group with name k3s-mn already exists$/,
    );
    const made = await created("NetbirdGroup", { name: "used" });
    await created("NetbirdPolicy", { name: "p", enabled: true, rules: [{ ...rule, sources: ["used"] }] });
    expect(await wordsOf(made.delete())).toContain("400 group has been linked to /api/policies/");
  });
});

describe("policies", () => {
  test("groups are given by name, and written as ids", async () => {
    const ops = netbird.addGroup("operators");
    const inputs = {
      name: "ssh",
      enabled: true,
      rules: [
        {
          ...rule,
          sources: ["operators"],
          destinations: ["k3s-mn", "operators"],
          portRanges: [{ start: 22, end: 22 }],
        },
      ],
    };
    const policy = await created("NetbirdPolicy", inputs);
    const path = `/api/policies/${policy.id}`;
    const written = {
      ...rule,
      sources: [ops.id],
      destinations: [group.id, ops.id],
      port_ranges: [{ start: 22, end: 22 }],
    };
    expect(kept(path)).toEqual({ id: policy.id, name: "ssh", enabled: true, rules: [written] });
    // The state has the names: another id behind a name is no change of the settings.
    expect(policy.state["rules"]).toEqual(inputs.rules);
    expect(await policy.diff()).toEqual([]);
    await policy.update({ ...inputs, rules: [{ ...rule, sources: ["k3s-mn"] }] });
    expect(kept(path)["rules"]).toEqual([{ ...rule, sources: [group.id] }]);
    await policy.delete();
    expect(netbird.objects.size).toBe(0);
  });

  test("the service's two words in another style stay as they are", async () => {
    const to = { destinationResource: { id: "resources3", type: "subnet" }, sourceResource: { id: "x", type: "host" } };
    const policy = await created("NetbirdPolicy", { name: "p", enabled: true, rules: [{ ...rule, ...to }] });
    expect(kept(`/api/policies/${policy.id}`)["rules"]).toEqual([{ ...rule, ...to }]);
  });

  test("a group that is not there is named, with those that are, and nothing is written", async () => {
    netbird.addGroup("a-team");
    const inputs = { name: "p", enabled: true, rules: [{ ...rule, sources: ["k3s-mn"], destinations: ["operators"] }] };
    expect(await wordsOf(created("NetbirdPolicy", inputs))).toBe(
      "NetBird has no group operators · found All, a-team, k3s-mn · fix: make that group in NetBird, or name another one in the settings (mesh.operators)",
    );
    expect(netbird.objects.size).toBe(0);
    const policy = await created("NetbirdPolicy", {
      name: "p",
      enabled: true,
      rules: [{ ...rule, sources: ["a-team"] }],
    });
    const before = kept(`/api/policies/${policy.id}`);
    expect(await wordsOf(policy.update(inputs))).toContain("NetBird has no group operators");
    expect(kept(`/api/policies/${policy.id}`)).toEqual(before);
  });

  test("one that somebody removed is missed by a refresh, and no error at the end", async () => {
    const policy = await created("NetbirdPolicy", { name: "p", enabled: true, rules: [] });
    expect(await policy.isThere()).toBe(true);
    netbird.objects.clear();
    expect(await policy.isThere()).toBe(false);
    await policy.delete();
  });
});

describe("networks", () => {
  test("a resource and a router stand in their network, with groups by name; another network is another one", async () => {
    const peer = joins("mn-a");
    const network = await created("NetbirdNetwork", { name: "mn-a", description: "d" });
    const resource = await created("NetbirdNetworkResource", {
      networkId: network.id,
      name: "lan",
      address: "10.20.0.11/32",
      enabled: true,
      groups: ["k3s-mn"],
    });
    const router = await created("NetbirdNetworkRouter", {
      networkId: network.id,
      peer: peer.id,
      metric: 100,
      masquerade: false,
      enabled: true,
    });
    const shared = await created("NetbirdNetworkRouter", {
      networkId: network.id,
      peerGroups: ["k3s-mn"],
      metric: 200,
      masquerade: false,
      enabled: true,
    });
    const place = `/api/networks/${network.id}`;
    expect(kept(`${place}/resources/${resource.id}`)).toEqual({
      id: resource.id,
      name: "lan",
      address: "10.20.0.11/32",
      enabled: true,
      groups: [group.id],
    });
    expect(kept(`${place}/routers/${router.id}`)).toMatchObject({ peer: peer.id, metric: 100, masquerade: false });
    expect(kept(`${place}/routers/${shared.id}`)).toMatchObject({ peer_groups: [group.id] });
    const there = resource.state;
    expect(await resource.diff({ ...there, networkId: "networks99" })).toContain("replace");
    await resource.update({ ...there, address: "10.20.0.12/32" });
    expect(kept(`${place}/resources/${resource.id}`)).toMatchObject({ address: "10.20.0.12/32", groups: [group.id] });
    for (const object of [router, shared, resource, network]) await object.delete();
    expect(netbird.objects.size).toBe(0);
  });

  test("a DNS zone is given to groups by name", async () => {
    const zone = await created("NetbirdDnsZone", {
      name: "mn",
      domain: "mn.example.net",
      enableSearchDomain: false,
      distributionGroups: ["k3s-mn"],
    });
    expect(kept(`/api/dns/zones/${zone.id}`)).toEqual({
      id: zone.id,
      name: "mn",
      domain: "mn.example.net",
      enable_search_domain: false,
      distribution_groups: [group.id],
    });
    await zone.delete();
    expect(netbird.objects.size).toBe(0);
  });
});

describe("machines", () => {
  const wanted = { machine: "mn-a", region: "mn", tags: ["k3s-mn"], life: "1" };
  const device = { machine: "mn-a", machineId: "i-1", keyId: "k", tags: ["k3s-mn"], waitSeconds: 30 };

  test("a key, a peer in its group, and nothing of both in the end", async () => {
    const key = await created("JoinKey", wanted);
    expect(netbird.keys.get(key.id)).toMatchObject({ name: "hybrid-k3s mn mn-a", groups: [group.id], limit: 1 });
    netbird.loginsExpire = true;
    const peer = netbird.join({ key: textOf(key.state["key"]), hostname: "mn-a" }) as NetbirdPeer;
    const member = await created("Device", device);
    expect(member.state).toMatchObject({ deviceId: peer.id, address: peer.address, dnsName: "mn-a.netbird.cloud" });
    expect(peer.loginExpires).toBe(false);
    netbird.clock.advance(7200);
    expect(await key.diff()).toEqual([]);
    await member.delete();
    await key.delete();
    expect([netbird.peers.size, netbird.keys.size, group.peers.size]).toEqual([0, 0, 0]);
  });

  test("a key for a group that is not there is refused, and so is a peer under another label", async () => {
    expect(await wordsOf(created("JoinKey", { ...wanted, tags: ["k3s-osaka"] }))).toBe(
      "NetBird has no group k3s-osaka · it has All, k3s-mn · fix: make the group first (NetbirdGroup)",
    );
    const first = joins("mn-a");
    netbird.clock.advance(60);
    const second = joins("mn-a");
    expect(await wordsOf(created("JoinKey", wanted))).toContain("the mesh has a device called mn-a already: mn-a (id ");
    const said = await wordsOf(created("Device", device));
    expect(said).toContain(`mn-a joined the mesh as ${second.label} (id ${second.id}, `);
    expect(said).toContain(`its name was taken by mn-a (id ${first.id}, `);
  });

  test("other groups are given to a peer; one that somebody else put it into stays", async () => {
    const [peer, theirs, workers] = [joins("mn-a"), netbird.addGroup("printers"), netbird.addGroup("workers")];
    theirs.peers.add(peer.id);
    const member = await created("Device", device);
    await member.update({ ...device, tags: ["workers"] });
    expect([group, theirs, workers].map(({ peers }) => peers.has(peer.id))).toEqual([false, true, true]);
  });
});

test("NetBird's objects are for NetBird", async () => {
  const tailscale = meshTypes({ configuration: () => ({ control: "tailscale", url: netbird.url, apiKey: "tskey-x" }) });
  expect(await wordsOf(tailscale.lived("NetbirdGroup").create({ name: "g" }))).toBe(
    "tailscale has no such object · NetbirdGroup is for netbird",
  );
});
