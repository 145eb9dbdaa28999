import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { expect, it } from "vitest";
import { parseCommandText, type ScriptCall } from "../../components/host/command-text.ts";
import type { PreparedHost } from "../../components/mesh/mesh.ts";
import { preparation } from "../../stacks/prepare-host.ts";
import type { MachineSettings, RegionSettings } from "../../stacks/region-settings.ts";
import { parseSettings } from "../../stacks/settings.ts";
import { fakeOutputs } from "../support/fakes.ts";
import { playedMesh } from "../support/played-mesh.ts";
import { recordGraph, type GraphNode } from "../support/record-graph.ts";
import { HOST_KEY, machineSpec, PRIVATE_KEY, sshTarget } from "../support/sample.ts";

/** A rack, a cloud of each kind and VMs, one machine each but for the rack. */
const SITES = {
  attic: {
    provider: "lima",
    access: { from: ["192.168.1.0/24"] },
    pools: { home: { role: "agent", ingress: true, machines: { vm: {}, "vm-shut": { ingress: false } } } },
  },
  hill: {
    provider: "hetzner",
    locations: ["fsn1"],
    lan: "10.30.0.0/24",
    pools: { web: { role: "agent", type: "cx33", ingress: true, machines: { h: {} } } },
  },
  rack: {
    provider: "existing",
    lan: "10.20.0.0/24",
    access: { from: ["192.0.2.7/32"] },
    port: 2222,
    pools: {
      control: { role: "server", machines: { s: { address: "10.20.0.11", hostKey: HOST_KEY } } },
      work: {
        role: "agent",
        ingress: true,
        publicPorts: ["25565/tcp"],
        machines: { w: { address: "10.20.0.21", hostKey: HOST_KEY, port: 22 } },
      },
    },
  },
  tokyo: {
    provider: "lightsail",
    awsRegion: "ap-northeast-1",
    access: { from: ["198.51.100.7/32", "2001:db8:1::/48"] },
    pools: {
      cloud: {
        role: "agent",
        bundle: "small_3_0",
        machines: { relay: { zone: "a", relay: true }, plain: { zone: "c" } },
      },
    },
  },
};

const settingsOf = ({ mesh = "none", more = {} }: { mesh?: string; more?: object } = {}): RegionSettings =>
  parseSettings(
    {
      region: "tokyo",
      kubernetes: { version: "v1.36.3+k3s1" },
      mesh: { provider: mesh },
      hostFirewall: { enabled: true },
      // Only a tailnet has relays.
      sites: mesh === "none" ? withoutRelay() : SITES,
      ...more,
    },
    { regions: { tokyo: { id: 1 } } },
  );
const withoutRelay = (): object => {
  const { tokyo, ...others } = structuredClone(SITES);
  return {
    ...others,
    tokyo: { ...tokyo, pools: { cloud: { ...tokyo.pools.cloud, machines: { plain: { zone: "c" } } } } },
  };
};

/** Declares what a machine's turn brings to its host, on a host that is played. */
async function prepare(
  name: string,
  settings: RegionSettings,
  mesh?: typeof playedMesh,
): Promise<{ readonly nodes: readonly GraphNode[]; readonly done: PreparedHost | undefined }> {
  const { role, site } = settings.sites
    .flatMap(({ machines }): readonly MachineSettings[] => machines)
    .find((one) => one.name === name)!;
  let done: PreparedHost | undefined;
  const nodes = await recordGraph(
    () => {
      const resource = new random.RandomId(`${name}-host`, { byteLength: 4 });
      const address = pulumi.output("10.20.0.11");
      const machine = {
        spec: machineSpec(name, role, { site }),
        ...{
          address,
          apiAddress: address,
          ssh: sshTarget(name),
          reach: "",
          id: resource.id,
          resource,
          ready: [resource],
        },
      };
      const { prepare: turn } = preparation({
        settings,
        login: { privateKey: PRIVATE_KEY },
        ...(mesh === undefined ? {} : { mesh }),
      });
      done = turn?.(machine, { dependsOn: [resource] });
    },
    { state: fakeOutputs },
  );
  return { nodes, done };
}

const firewallOf = (nodes: readonly GraphNode[], name: string): GraphNode => {
  const found = nodes.find((node) => node.name === `${name}-firewall`);
  if (found === undefined) throw new Error(`no ${name}-firewall among ${nodes.map((node) => node.name).join(", ")}`);
  return found;
};
const callOf = (node: GraphNode): ScriptCall => parseCommandText(String(node.inputs["create"]))!;
const rulesOf = async (name: string, settings: RegionSettings, mesh?: typeof playedMesh): Promise<string> =>
  callOf(firewallOf((await prepare(name, settings, mesh)).nodes, name)).parameters["RULES"]!;
/** Lines that say who comes in from elsewhere than mesh, LAN, pods and the network itself. */
const strangers = (rules: string): string[] =>
  rules
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => / dport /.test(` ${line}`) && !line.includes("sport"));
const elementsOf = (rules: string, set: string): string | undefined =>
  new RegExp(`set ${set} \\{[^}]*elements = \\{ ([^}]*) \\}`).exec(rules)?.[1];

it("nothing comes to a host where there is neither mesh nor firewall", async () => {
  const { done } = await prepare("s", settingsOf({ more: { hostFirewall: { enabled: false } } }));
  expect(done).toBeUndefined();
});

it("the mesh comes first, then the firewall that lets it in, and both count for the mark", async () => {
  const settings = settingsOf({ mesh: "tailscale" });
  const { nodes, done } = await prepare("s", settings, playedMesh);
  expect(firewallOf(nodes, "s").dependsOn).toEqual(expect.arrayContaining(["s-host", "s-mesh"]));
  expect(done?.resources).toHaveLength(2);
  const rules = callOf(firewallOf(nodes, "s")).parameters["RULES"]!;
  expect(rules).toContain('iifname "mesh0" accept');
  expect(rules).toContain("udp dport { 41641 } accept");
  const marks = [
    done?.mark,
    (await prepare("s", settings)).done?.mark,
    (await prepare("w", settings, playedMesh)).done?.mark,
  ];
  expect(marks[0]).toMatch(/^played 1\n[0-9a-f]{12}$/);
  expect(new Set(marks).size).toBe(3);
});

it("a mesh alone comes without a firewall", async () => {
  const off = settingsOf({ mesh: "tailscale", more: { hostFirewall: { enabled: false } } });
  const { nodes, done } = await prepare("s", off, playedMesh);
  expect(nodes.map(({ name }) => name)).not.toContain("s-firewall");
  expect(done?.mark).toBe("played 1");
});

it("rules end with a host that we make, and are taken off a host that stays", async () => {
  const settings = settingsOf();
  for (const [name, deletedWith] of [
    ["s", ""],
    ["vm", "vm-host"],
    ["h", "h-host"],
    ["plain", "plain-host"],
  ] as const) {
    const { options } = firewallOf((await prepare(name, settings)).nodes, name);
    expect([name, options["deletedWith"] ?? ""]).toEqual([name, deletedWith]);
  }
});

it("with a mesh a host lets in its own LAN, and without one those of all sites", async () => {
  const joined = await rulesOf("s", settingsOf({ mesh: "tailscale" }), playedMesh);
  expect(elementsOf(joined, "site_ipv4")).toBe("10.20.0.0/24");
  const routed = await rulesOf("s", settingsOf());
  expect(elementsOf(routed, "site_ipv4")).toBe("10.20.0.0/24, 10.30.0.0/24, 172.26.0.0/16, 192.168.105.0/24");
  expect(routed).not.toContain("mesh0");
});

it("a host that stands lets in who the settings name, at both ports that its sshd may have", async () => {
  const server = await rulesOf("s", settingsOf());
  expect(elementsOf(server, "ssh_ipv4")).toBe("192.0.2.7/32");
  expect(strangers(server)).toEqual([
    "ip saddr @ssh_ipv4 tcp dport { 22, 2222 } accept",
    "ip saddr @ssh_ipv4 tcp dport 6443 accept",
  ]);
  expect(strangers(await rulesOf("w", settingsOf()))).toEqual([
    "tcp dport { 80, 443, 25565 } accept",
    "ip saddr @ssh_ipv4 tcp dport 22 accept",
  ]);
});

it("a VM lets in its host beside who the settings name, and a machine's ingress counts before its pool's", async () => {
  const open = await rulesOf("vm", settingsOf());
  expect(elementsOf(open, "ssh_ipv4")).toBe("192.168.1.0/24, 192.168.5.2/32");
  expect(strangers(open)).toEqual(["tcp dport { 80, 443 } accept", "ip saddr @ssh_ipv4 tcp dport 22 accept"]);
  expect(strangers(await rulesOf("vm-shut", settingsOf()))).toEqual(["ip saddr @ssh_ipv4 tcp dport 22 accept"]);
});

it("a cloud's machine lets in who its cloud's firewall does: nobody to SSH, where access names none", async () => {
  const named = await rulesOf("plain", settingsOf());
  expect([elementsOf(named, "ssh_ipv4"), elementsOf(named, "ssh_ipv6")]).toEqual([
    "198.51.100.7/32",
    "2001:db8:1::/48",
  ]);
  expect(strangers(await rulesOf("h", settingsOf()))).toEqual(["tcp dport { 80, 443 } accept"]);
});

it("a machine that relays for its peers has that port open too, and no other machine has", async () => {
  const settings = settingsOf({ mesh: "tailscale" });
  expect(await rulesOf("relay", settings, playedMesh)).toContain("udp dport { 40000, 41641 } accept");
  expect(await rulesOf("plain", settings, playedMesh)).toContain("udp dport { 41641 } accept");
});

it("the pod network's interfaces, and where the cluster's own packets come from, are the settings'", async () => {
  const rules = await rulesOf("s", settingsOf());
  expect(elementsOf(rules, "cluster_ipv4")).toBe("10.66.0.0/16, 10.67.0.0/16");
  expect(rules).toContain('iifname "flannel.1" ip saddr @cluster_ipv4 accept');
  const kubernetes = { version: "v1.36.3+k3s1", cni: "cilium" };
  expect(await rulesOf("s", settingsOf({ more: { kubernetes } }))).toContain(
    'iifname "lxc*" ip saddr @cluster_ipv4 accept',
  );
  const encrypted = { version: "v1.36.3+k3s1", flannelBackend: "wireguard-native" };
  expect(await rulesOf("s", settingsOf({ more: { kubernetes: encrypted } }))).toContain('iifname "flannel-wg"');
});

it("a machine that the settings do not have is a mistake of the program", () => {
  const { prepare: turn } = preparation({ settings: settingsOf(), login: { privateKey: PRIVATE_KEY } });
  expect(() => turn?.({ spec: machineSpec("ghost", "agent") } as never, {})).toThrow(
    "the settings have no machine ghost on a site rack",
  );
});
