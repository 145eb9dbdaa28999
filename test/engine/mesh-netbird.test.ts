import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Device } from "../../components/mesh/resources/device.ts";
import { JoinKey } from "../../components/mesh/resources/join-key.ts";
import { MeshProvider } from "../../components/mesh/resources/mesh-provider.ts";
import { NetbirdDnsZone } from "../../components/mesh/resources/netbird-dns-zone.ts";
import { NetbirdGroup } from "../../components/mesh/resources/netbird-group.ts";
import { NetbirdNetworkResource } from "../../components/mesh/resources/netbird-network-resource.ts";
import { NetbirdNetworkRouter } from "../../components/mesh/resources/netbird-network-router.ts";
import { NetbirdNetwork } from "../../components/mesh/resources/netbird-network.ts";
import { NetbirdPolicy } from "../../components/mesh/resources/netbird-policy.ts";
import { NetbirdStandIn } from "../../rehearsal/mesh/netbird.ts";
import { Machine, openMesh, type MeshSession } from "../support/mesh-session.ts";
import { fine, stepsOf } from "./sample.ts";

// NetBird's objects through the real engine, against a management service that is played over HTTP.
let netbird: NetbirdStandIn;
let mesh: MeshSession;

beforeEach(async () => {
  netbird = new NetbirdStandIn();
  await netbird.serve();
});
afterEach(async () => {
  await mesh.session.close();
  await netbird.stop();
});

interface Plan {
  readonly group?: string;
  readonly ports?: readonly string[];
  readonly operators?: string;
  readonly life?: string;
  /** Whether there is more than the machine. */
  readonly whole?: boolean;
}

const region =
  ({ group = "k3s-mn", ports = ["22", "6443"], operators = "All", life = "1", whole = true }: Plan = {}): PulumiFn =>
  () => {
    const provider = new MeshProvider("control", { control: "netbird", url: netbird.url, token: netbird.token });
    const members = new NetbirdGroup("group", { name: group }, { provider });
    const after = { provider, dependsOn: [members] };
    const machine = { machine: "mn-a", tags: [group] };
    const key = new JoinKey("mn-a-key", { ...machine, region: "mn", life }, after);
    const host = new Machine("mn-a-host", { hostname: "mn-a", key: key.key, life });
    const device = new Device(
      "mn-a-device",
      { ...machine, machineId: host.id, keyId: key.keyId, waitSeconds: 5 },
      { ...after, deleteBeforeReplace: true },
    );
    if (!whole) return Promise.resolve({});
    const rule = { name: "ssh", enabled: true, action: "accept", bidirectional: false, protocol: "tcp" } as const;
    const rules = [{ ...rule, ports, sources: [operators], destinations: [group] }];
    new NetbirdPolicy("policy", { name: "operators", enabled: true, rules }, after);
    const network = new NetbirdNetwork("network", { name: "mn", description: "rack" }, { provider });
    const inside = { networkId: network.id, enabled: true };
    const route = { ...inside, name: "mn-a", address: "10.20.0.11/32", groups: [group] };
    new NetbirdNetworkResource("network-address", route, after);
    const router = { ...inside, peer: device.deviceId, metric: 9999, masquerade: false };
    new NetbirdNetworkRouter("network-router", router, {
      ...after,
      replaceOnChanges: ["peer"],
      deleteBeforeReplace: true,
    });
    const zone = { name: "mn", domain: "mn.example.net", enabled: true, enableSearchDomain: false };
    new NetbirdDnsZone("zone", { ...zone, distributionGroups: [group] }, after);
    return Promise.resolve({});
  };

async function open(plan?: Plan): Promise<void> {
  const program = region(plan);
  const boot = (machine: { hostname: string; key: string }) => expect(netbird.join(machine)).toBeTypeOf("object");
  mesh = await openMesh({ program, boot, now: () => netbird.clock.now() });
}
const run = async (command: "up" | "preview", plan?: Plan): Promise<string[]> => {
  mesh.session.use(region(plan));
  return stepsOf(await fine(mesh.session[command]()));
};
/** Objects of a collection, without their ids. */
const objects = (collection: string): unknown[] =>
  [...netbird.objects]
    .filter(([path]) => path.includes(collection))
    .map(([, object]) => Object.fromEntries(Object.entries(object).filter(([name]) => name !== "id")));
const group = (name: string) => [...netbird.groups.values()].find((entry) => entry.name === name)!;

test("a region's objects are made with ids for groups' names, change in place, and all go", async () => {
  await open();
  expect(await run("up")).toHaveLength(10);
  const { id } = group("k3s-mn");
  const all = group("All").id;
  const [peer] = [...netbird.peers.values()];
  expect(peer).toMatchObject({ label: "mn-a" });
  expect([...group("k3s-mn").peers]).toEqual([peer!.id]);
  const rule = { name: "ssh", enabled: true, action: "accept", bidirectional: false, protocol: "tcp" };
  const rules = (ports: readonly string[]) => [{ ...rule, ports, sources: [all], destinations: [id] }];
  expect(objects("policies")).toEqual([{ name: "operators", enabled: true, rules: rules(["22", "6443"]) }]);
  const address = { name: "mn-a", address: "10.20.0.11/32", enabled: true, groups: [id] };
  expect(objects("/resources")).toEqual([address]);
  expect(objects("/routers")).toEqual([{ peer: peer!.id, metric: 9999, masquerade: false, enabled: true }]);
  const zone = { name: "mn", domain: "mn.example.net", enabled: true };
  expect(objects("dns/zones")).toEqual([{ ...zone, enable_search_domain: false, distribution_groups: [id] }]);
  expect(await run("preview")).toEqual([]);
  expect(await run("up", { ports: ["22"] })).toEqual(["update policy"]);
  expect(objects("policies")).toEqual([{ name: "operators", enabled: true, rules: rules(["22"]) }]);
  await fine(mesh.session.destroy());
  expect([netbird.objects.size, netbird.peers.size, netbird.keys.size]).toEqual([0, 0, 0]);
  expect([...netbird.groups.values()].map(({ name }) => name)).toEqual(["All"]);
});

test("a group that is renamed keeps its peers, those of other people too", async () => {
  await open();
  await run("up");
  const { id } = group("k3s-mn");
  const [peer] = [...netbird.peers.keys()];
  const laptop = netbird.join({ key: netbird.makeKey({ name: "", groups: [], limit: 1 }, 60).key, hostname: "laptop" });
  if (typeof laptop === "string") throw new Error(laptop);
  group("k3s-mn").peers.add(laptop.id);
  const steps = await run("up", { group: "k3s-ulan" });
  expect(steps).toContain("update group");
  expect(steps.filter((step) => !step.startsWith("update"))).toEqual([]);
  expect(netbird.groups.get(id)).toMatchObject({ name: "k3s-ulan" });
  expect([...netbird.groups.get(id)!.peers].sort()).toEqual([peer, laptop.id].sort());
  expect(await run("preview", { group: "k3s-ulan" })).toEqual([]);
});

test("a machine's next life: the router that names its peer goes before the peer, and comes after the new one", async () => {
  await open();
  await run("up");
  const [before] = [...netbird.peers.keys()];
  const anew = ["replace mn-a-device", "replace mn-a-host", "replace network-router", "update mn-a-key"];
  expect(await run("up", { life: "2" })).toEqual(anew);
  const [after, ...others] = [...netbird.peers.keys()];
  expect([after === before, others]).toEqual([false, []]);
  expect(objects("/routers")).toMatchObject([{ peer: after }]);
});

test("a group that is not there is named with those that are; what somebody deleted comes back after a refresh", async () => {
  await open({ operators: "staff" });
  mesh.session.use(region({ operators: "staff" }));
  expect((await mesh.session.up()).failure).toContain(
    "NetBird has no group staff · found All, k3s-mn · fix: make that",
  );
  await run("up");
  for (const path of [...netbird.objects.keys()]) if (path.includes("policies")) netbird.objects.delete(path);
  await fine(mesh.session.refresh());
  expect(await run("up")).toEqual(["create policy"]);
  expect(objects("policies")).toHaveLength(1);
});
