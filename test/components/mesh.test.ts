import { describe, expect, it } from "vitest";
import * as pulumi from "@pulumi/pulumi";
import { ExistingSite } from "../../components/existing/site.ts";
import { parseCommandText } from "../../components/host/command-text.ts";
import type { Machine } from "../../components/machine.ts";
import type { Mesh } from "../../components/mesh/mesh.ts";
import { NetbirdMesh } from "../../components/mesh/netbird.ts";
import { TailscaleMesh } from "../../components/mesh/tailscale.ts";
import { secretsOf } from "../../rehearsal/commands/simulated.ts";
import { fakeOutputs } from "../support/fakes.ts";
import { recordGraph, type GraphNode } from "../support/record-graph.ts";
import { machineSpec, PRIVATE_KEY, sshTarget } from "../support/sample.ts";

const CLIENT = { version: "1.102.4", packages: "https://packages.example.net", port: 41_641, keyLifetimeSeconds: 3600 };
const SITES = [
  { name: "tokyo", lan: "172.26.0.0/16", carriesLan: true },
  { name: "rack", lan: "10.20.0.0/24", carriesLan: true },
  { name: "osaka", lan: "172.26.0.0/16", carriesLan: false },
];
const same = {
  region: "tokyo",
  credentials: { apiKey: pulumi.secret("password-of-the-api"), token: pulumi.secret("password-of-the-api") },
  sites: SITES,
  login: { privateKey: PRIVATE_KEY },
  connectSeconds: 300,
  firstRules: (): string => "table inet hybrid_k3s {\n}\n",
};

const tailscale = (more: object = {}): Mesh =>
  new TailscaleMesh("tokyo-mesh", {
    ...same,
    relay: true,
    closedToMesh: [],
    settings: {
      provider: "tailscale",
      tailnet: "-",
      tag: "tag:k3s-tokyo",
      policy: "merge",
      operators: ["autogroup:member", "group:ops"],
      ...CLIENT,
      ...more,
    },
  });
const netbird = (): Mesh =>
  new NetbirdMesh("tokyo-mesh", {
    ...same,
    settings: {
      provider: "netbird",
      url: "https://netbird.example.net",
      group: "k3s-tokyo",
      operators: ["people"],
      ...CLIENT,
    },
  });

/** A mesh, and one host of a site in it, prepared as a node. */
const record = (make: () => Mesh, reveal = false, site = "rack") =>
  recordGraph(
    () => {
      const mesh = make();
      const { machines } = new ExistingSite("tokyo-rack", {
        region: "tokyo",
        hosts: [
          {
            spec: machineSpec("rack-1", "agent", { site }),
            address: "10.20.0.21",
            ssh: sshTarget("rack-1"),
            reach: "",
          },
        ],
        privateKey: PRIVATE_KEY,
        connectSeconds: 300,
        mesh,
      });
      for (const machine of machines) mesh.converge(machine, { dependsOn: [...machine.ready] });
    },
    { state: fakeOutputs, reveal },
  );
const find = (nodes: readonly GraphNode[], name: string): GraphNode => {
  const found = nodes.find((node) => node.name === name);
  if (found === undefined) throw new Error(`no resource named ${name}: ${nodes.map((node) => node.name).join(", ")}`);
  return found;
};
const parametersOf = (node: GraphNode, point = "update"): Readonly<Record<string, string>> =>
  parseCommandText(String(node.inputs[point]))?.parameters ?? {};

describe("a region on a tailnet", () => {
  it("has its policy before any key, with owners that are not everybody", async () => {
    const nodes = await record(() => tailscale());
    expect(find(nodes, "rack-1-mesh-key").dependsOn).toContain("tokyo-mesh-policy");
    expect(find(nodes, "tokyo-mesh-policy").inputs).toMatchObject({
      mode: "merge",
      owner: "tokyo",
      parts: {
        tagOwners: { "tag:k3s-tokyo": ["group:ops"] },
        autoApprovers: { routes: { "10.20.0.0/24": ["tag:k3s-tokyo"], "172.26.0.0/16": ["tag:k3s-tokyo"] } },
      },
    });
  });

  it("has a key for one life of a machine, and a device that goes before its successor comes", async () => {
    const nodes = await record(() => tailscale());
    expect(find(nodes, "rack-1-mesh-key").inputs).toEqual({
      machine: "rack-1",
      region: "tokyo",
      tags: ["tag:k3s-tokyo"],
      lifetimeSeconds: 3600,
      life: "1 agent",
    });
    const device = find(nodes, "rack-1-mesh-device");
    expect(device.options).toMatchObject({ deleteBeforeReplace: true });
    expect(device.options).not.toHaveProperty("deletedWith");
    expect(device.dependsOn).toEqual(expect.arrayContaining(["rack-1-mesh-join", "rack-1-mesh-key"]));
  });

  it("takes the client off a host that is given back, and leaves one that is dead", async () => {
    const join = find(await record(() => tailscale()), "rack-1-mesh-join");
    expect(parseCommandText(String(join.inputs["delete"]))).toMatchObject({
      action: "remove",
      parameters: { NODE_NAME: "rack-1", UNREACHABLE: "leave" },
    });
  });

  it("tells a node its own LAN, and the others that are reached through the mesh", async () => {
    const nodes = await record(() => tailscale());
    expect(parametersOf(find(nodes, "rack-1-mesh"))).toMatchObject({
      ADDRESS: "10.20.0.21",
      LAN: "10.20.0.0/24",
      OTHER_LANS: "172.26.0.0/16",
      NODE_ADDRESSES: "lan",
      SITE_RULE: "yes",
      RELAY: "no",
    });
  });

  it("keeps nothing on a LAN whose range has addresses of another site, and looks for those in the mesh alone", async () => {
    const nodes = await record(() => tailscale(), false, "osaka");
    expect(parametersOf(find(nodes, "rack-1-mesh"))).toMatchObject({
      LAN: "172.26.0.0/16",
      OTHER_LANS: "10.20.0.0/24",
      NODE_ADDRESSES: "mesh",
      SITE_RULE: "no",
    });
  });

  it("speaks to Tailscale, to another address of it, or to Headscale", async () => {
    const control = async (more: object) => find(await record(() => tailscale(more)), "tokyo-mesh-control").inputs;
    expect(await control({})).toMatchObject({ control: "tailscale", tailnet: "-", apiKey: "[secret]" });
    expect(await control({ baseUrl: "https://api.example.net" })).toMatchObject({ url: "https://api.example.net" });
    const headscale = await control({ headscaleUrl: "https://headscale.example.net" });
    expect(headscale).toMatchObject({ control: "headscale", url: "https://headscale.example.net" });
    expect(headscale).not.toHaveProperty("tailnet");
  });

  it("keeps keys and credentials secret", async () => {
    expect(JSON.stringify(await record(() => tailscale()))).not.toContain("password-of");
    const { stdin } = find(await record(() => tailscale(), true), "rack-1-mesh-join").inputs;
    const program = secretsOf(String(stdin))["REMOTE_PROGRAM"] ?? "";
    expect(secretsOf(program)["JOIN_KEY"]).toBe("password-of-rack-1-mesh-key");
  });
});

describe("a region in a NetBird network", () => {
  it("lets nodes to each other, and operators to SSH and the API: one rule a policy", async () => {
    const nodes = await record(netbird);
    const policies = nodes.filter(({ type }) => type.endsWith(":NetbirdPolicy"));
    const rules = policies.flatMap(({ inputs }) => inputs["rules"] as Record<string, unknown>[]);
    expect(policies).toHaveLength(rules.length);
    expect(
      rules.map(({ sources, destinations, protocol, ports }) => ({ sources, destinations, protocol, ports })),
    ).toEqual(
      expect.arrayContaining([
        { sources: ["k3s-tokyo"], destinations: ["k3s-tokyo"], protocol: "all", ports: undefined },
        { sources: ["k3s-tokyo"], destinations: ["k3s-tokyo-lan"], protocol: "all", ports: undefined },
        { sources: ["people"], destinations: ["k3s-tokyo", "k3s-tokyo-lan"], protocol: "tcp", ports: ["22", "6443"] },
        { sources: ["people"], destinations: ["k3s-tokyo", "k3s-tokyo-lan"], protocol: "icmp", ports: undefined },
      ]),
    );
  });

  it("carries each machine's private address in a network of its own, whose router goes before its peer does", async () => {
    const nodes = await record(netbird);
    expect(find(nodes, "rack-1-mesh-network-address").inputs).toMatchObject({
      address: "10.20.0.21/32",
      groups: ["k3s-tokyo-lan"],
    });
    const router = find(nodes, "rack-1-mesh-network-router");
    expect(router.inputs).toMatchObject({ peer: "id of rack-1-mesh-device", masquerade: false });
    expect(router.options).toMatchObject({ deleteBeforeReplace: true, replaceOnChanges: ["peer"] });
  });

  it("joins by the management server that the settings name", async () => {
    const join = parametersOf(find(await record(netbird), "rack-1-mesh-join"));
    expect(join).toMatchObject({ MANAGEMENT_URL: "https://netbird.example.net", PORT: "41641" });
  });
});

it("a machine of a cloud is told its firewall's first rules beside its key", async () => {
  const boots: string[] = [];
  await recordGraph(
    () => {
      const { firstBoot } = tailscale().invite(machineSpec("tokyo-a", "server", { site: "tokyo" }), {});
      firstBoot.apply(({ hostname, rules = "none" }) => boots.push(`${hostname} ${rules}`));
    },
    { state: fakeOutputs },
  );
  expect(boots).toEqual(["tokyo-a table inet hybrid_k3s {\n}\n"]);
});

it("a machine of a site that the mesh does not know is an error of the program", async () => {
  const machine = { spec: machineSpec("x", "agent", { site: "nowhere" }) } as Machine;
  await expect(recordGraph(() => void tailscale().converge(machine, {}), { state: fakeOutputs })).rejects.toThrow(
    "the machine x stands on a site that the mesh does not know: nowhere",
  );
});
