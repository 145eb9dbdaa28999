import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { IMAGES, mismatch, serverTypeNames, serverTypeOf } from "../../components/hetzner/catalog.ts";
import { monthlyCost } from "../../components/hetzner/cost.ts";
import type { LoadBalancerChoice } from "../../components/hetzner/load-balancer.ts";
import { choose, type Wanted } from "../../components/hetzner/location.ts";
import { groupNumbers } from "../../components/hetzner/placement.ts";
import { HetznerSite, type HetznerMachine } from "../../components/hetzner/site.ts";
import { fakeAnswers, fakeOutputs } from "../support/fakes.ts";
import type { Mesh } from "../../components/mesh/mesh.ts";
import { playedMesh } from "../support/played-mesh.ts";
import { recordGraph, type GraphNode } from "../support/record-graph.ts";
import { machineSpec, PRIVATE_KEY } from "../support/sample.ts";

const machine = (name: string, role: "server" | "agent", more: Partial<HetznerMachine> = {}): HetznerMachine => ({
  spec: machineSpec(name, role),
  type: "cx33",
  image: "debian-12",
  locations: ["fsn1"],
  publicIpv4: true,
  ingress: false,
  ...more,
});

interface Options {
  readonly token?: string;
  readonly apiEndpoint?: string;
  readonly digest?: string;
  readonly placementGroups?: Readonly<Record<string, number>>;
  readonly mesh?: Mesh;
  readonly accessFrom?: readonly string[];
  readonly loadBalancer?: LoadBalancerChoice;
}

const declare = (machines: readonly HetznerMachine[], { digest = "d1", ...more }: Options = {}): HetznerSite =>
  new HetznerSite("fsn1-cloud", {
    region: "fsn1",
    site: "cloud",
    lan: "10.30.0.0/24",
    networkZone: "eu-central",
    machines,
    accessFrom: ["198.51.100.7/32", "2001:db8:1::/64"],
    tags: { team: "platform" },
    login: { privateKey: pulumi.output(PRIVATE_KEY), publicKey: "ssh-ed25519 AAAA", digest },
    connectSeconds: 300,
    placementGroups: {},
    ...more,
  });

const record = (machines: readonly HetznerMachine[], more: Options = {}, reveal = false) =>
  recordGraph(() => void declare(machines, more), { state: fakeOutputs, answers: fakeAnswers, reveal });
const find = (nodes: readonly GraphNode[], name: string): GraphNode => {
  const found = nodes.find((node) => node.name === name);
  if (found === undefined) throw new Error(`no resource named ${name}`);
  return found;
};
const namesOf = (nodes: readonly GraphNode[], type: string): string[] =>
  nodes.filter((node) => node.type === type).map(({ name }) => name);

describe("servers", () => {
  const machines = [machine("a", "server"), machine("w", "agent", { volumeGiB: 50 })];

  it("name neither networks nor firewalls themselves: both are changed without them", async () => {
    const nodes = await record(machines);
    const { inputs } = find(nodes, "a-server");
    expect(Object.keys(inputs).filter((key) => ["networks", "firewallIds", "datacenter"].includes(key))).toEqual([]);
    expect(find(nodes, "a-network").options["deletedWith"]).toBe("a-server");
  });

  it("of role server are protected, and lose that before anything that is bound to them", async () => {
    const nodes = await record(machines);
    // Only the script protects: else a server whose first contact failed could not be deleted.
    expect(find(nodes, "a-server").inputs).not.toHaveProperty("deleteProtection");
    expect(find(nodes, "a-server").options["ignoreChanges"]).toEqual(
      expect.arrayContaining(["deleteProtection", "rebuildProtection"]),
    );
    const protection = find(nodes, "a-protection");
    expect(protection.dependsOn).toEqual(["a-host", "a-server"]);
    expect(protection.options["deletedWith"]).toBeUndefined();
    expect(namesOf(nodes, "command:local:Command")).not.toContain("w-protection");
  });

  it("come with a volume that outlives them, found by its id", async () => {
    const nodes = await record(machines);
    expect(find(nodes, "w-volume").options["deletedWith"]).toBeUndefined();
    const host = find(nodes, "w-host");
    expect(host.dependsOn).toContain("w-volume-attachment");
    expect(String(host.inputs["create"])).toMatch(/DATA_DISK='\/dev\/disk\/by-id\/scsi-0HC_Volume_\d+'/);
  });

  it("without public IPv4 are reached by IPv6", async () => {
    const nodes = await record([machine("a", "server", { publicIpv4: false })]);
    expect(namesOf(nodes, "hcloud:index/primaryIp:PrimaryIp")).toEqual(["a-ipv6"]);
    const [net] = find(nodes, "a-server").inputs["publicNets"] as Record<string, unknown>[];
    expect(net).toMatchObject({ ipv4Enabled: false, ipv6Enabled: true });
    expect(net).not.toHaveProperty("ipv4");
    expect(String(find(nodes, "a-host").inputs["create"])).toContain("root@IPv6 of a-server:22");
  });
});

it("a machine keeps its placement group whoever comes or goes beside it, and a new one goes where there is room", async () => {
  const names = Array.from({ length: 11 }, (_, index) => `w-${String(index + 10)}`);
  const first = groupNumbers(names, {});
  expect([...first].filter(([, number]) => number === 2)).toEqual([["w-20", 2]]);
  const left = names.slice(1);
  expect(groupNumbers(left, Object.fromEntries(first)).get("w-20")).toBe(2);
  const joined = groupNumbers(["a-0", "a-1", ...left], Object.fromEntries(first));
  expect([joined.get("a-0"), joined.get("a-1"), joined.get("w-11"), joined.get("w-20")]).toEqual([1, 2, 1, 2]);
  // The group of the last one must not be deleted under its server.
  const nodes = await record(
    left.map((name) => machine(name, "agent")),
    { placementGroups: Object.fromEntries(first) },
  );
  expect(namesOf(nodes, "hcloud:index/placementGroup:PlacementGroup")).toContain("fsn1-cloud-workers-2-group");
});

it("a pool of more than ten has a placement group for every ten", async () => {
  const names = Array.from({ length: 12 }, (_, index) => `w-${String(index).padStart(2, "0")}`);
  const nodes = await record(names.map((name) => machine(name, "agent")));
  expect(namesOf(nodes, "hcloud:index/placementGroup:PlacementGroup")).toEqual([
    "fsn1-cloud-workers-1-group",
    "fsn1-cloud-workers-2-group",
  ]);
  const groups = names.map((name) => find(nodes, `${name}-server`).inputs["placementGroupId"]);
  expect(new Set(groups.slice(0, 10)).size).toBe(1);
  expect(new Set(groups.slice(10)).size).toBe(1);
  expect(groups[0]).not.toBe(groups[10]);
});

it("machines with the same rules share a firewall, which finds them by label", async () => {
  const nodes = await record([
    machine("a", "server"),
    machine("b", "server"),
    machine("w", "agent"),
    machine("x", "agent", { ingress: true }),
  ]);
  expect(namesOf(nodes, "hcloud:index/firewall:Firewall")).toEqual([
    "fsn1-cloud-agent-firewall",
    "fsn1-cloud-agent-ingress-firewall",
    "fsn1-cloud-server-firewall",
  ]);
  const { rules, applyTos } = find(nodes, "fsn1-cloud-agent-ingress-firewall").inputs as {
    rules: { port: string; sourceIps: string[] }[];
    applyTos: object[];
  };
  expect(rules.map(({ port, sourceIps }) => `${port} from ${sourceIps.join(" ")}`)).toEqual([
    "22 from 198.51.100.7/32 2001:db8:1::/64",
    "80 from 0.0.0.0/0 ::/0",
    "443 from 0.0.0.0/0 ::/0",
  ]);
  expect(applyTos).toEqual([
    { labelSelector: "hybrid-k3s/region=fsn1,hybrid-k3s/site=cloud,hybrid-k3s/access=agent-ingress" },
  ]);
  expect(find(nodes, "x-server").inputs["labels"]).toMatchObject({ "hybrid-k3s/access": "agent-ingress" });
});

it("machines with ports of their own stand behind a firewall of their own, all behind the mesh's port", async () => {
  const nodes = await record(
    [machine("w", "agent"), machine("x", "agent", { spec: machineSpec("x", "agent", { publicPorts: ["25565/tcp"] }) })],
    {
      mesh: playedMesh,
      accessFrom: [],
    },
  );
  const label = (find(nodes, "x-server").inputs["labels"] as Record<string, string>)["hybrid-k3s/access"] ?? "";
  expect(label).toMatch(/^agent-[0-9a-f]{12}$/);
  const open = (set: string): string[] => {
    const { rules } = find(nodes, `fsn1-cloud-${set}-firewall`).inputs as {
      rules: { port: string; protocol: string }[];
    };
    return rules.map(({ port, protocol }) => `${port}/${protocol}`);
  };
  expect(open("agent")).toEqual(["41641/udp"]);
  expect(open(label)).toEqual(["41641/udp", "25565/tcp"]);
});

it("another login key is another entry of the project, and the servers ignore it", async () => {
  const machines = [machine("a", "server")];
  const keys = async (digest: string) => namesOf(await record(machines, { digest }), "hcloud:index/sshKey:SshKey");
  expect(await keys("d1")).toEqual(["fsn1-cloud-login-d1"]);
  expect(await keys("d2")).toEqual(["fsn1-cloud-login-d2"]);
  expect(find(await record(machines), "a-server").options["ignoreChanges"]).toContain("sshKeys");
});

it("the token reaches the provider and the script that lifts protection, as a secret", async () => {
  const token = "t".repeat(64);
  const given = { token, apiEndpoint: "http://127.0.0.1:8899/v1/" };
  const nodes = await record([machine("a", "server")], given);
  expect(JSON.stringify(nodes)).not.toContain(token);
  expect(String(find(nodes, "a-protection").inputs["delete"])).toContain("API_ENDPOINT='http://127.0.0.1:8899/v1'");
  const revealed = await record([machine("a", "server")], given, true);
  expect(find(revealed, "fsn1-cloud-hcloud").inputs["token"]).toBe(token);
  expect(String(find(revealed, "a-protection").inputs["stdin"])).toContain(Buffer.from(token).toString("base64"));
  expect(find(await record([machine("a", "server")]), "fsn1-cloud-hcloud").inputs).not.toHaveProperty("token");
});

describe("where a server stands", () => {
  const wanted: Wanted = {
    name: "a",
    type: "cx33",
    locations: ["fsn1", "nbg1"],
    server: "fsn1-a",
    life: "1-server",
    address: "fsn1-a-ipv6",
  };
  const nothing = { addresses: {}, lives: {}, having: { cx33: ["nbg1", "hel1"] } };

  it("is the first location of the list that has its type; another than the first is said", () => {
    expect(choose([wanted], { ...nothing, having: { cx33: ["nbg1", "fsn1"] } })).toEqual({
      locations: { a: "fsn1" },
      notes: [],
    });
    expect(choose([wanted], nothing)).toEqual({
      locations: { a: "nbg1" },
      notes: ["a: fsn1 has no cx33 now, it is made in nbg1"],
    });
  });

  it("is where its address is, and stays there though its type is sold out", () => {
    const there = { addresses: { "fsn1-a-ipv6": "fsn1" }, lives: { "fsn1-a": "1-server" }, having: {} };
    expect(choose([wanted], there)).toEqual({ locations: { a: "fsn1" }, notes: [] });
  });

  it("is nowhere if its next life is not to be had: all such servers are named at once", () => {
    const there = { addresses: { "fsn1-a-ipv6": "fsn1" }, lives: { "fsn1-a": "1-server" }, having: {} };
    const next = { ...wanted, life: "2-server" };
    expect(() => choose([next, { ...wanted, name: "b", address: "fsn1-b-ipv6" }], there)).toThrow(
      [
        "a.type: found cx33, which is sold out in fsn1 · allowed a type that is to be had there; no location has it · fix: its addresses are in fsn1: write another type, or run again later",
        "b.type: found cx33, which is sold out in fsn1, nbg1 · allowed a type that is to be had there; no location has it · fix: add a location of the same network zone, write another type, or run again later",
        "No server was made or deleted.",
      ].join("\n"),
    );
  });
});

describe("the catalogue", () => {
  it("knows which image runs on which type: today's all do on both architectures", () => {
    const mixed = serverTypeNames.flatMap((type) =>
      Object.values(IMAGES).map((image) => mismatch(image, serverTypeOf(type))),
    );
    expect(new Set(mixed)).toEqual(new Set([undefined]));
    const x86Only = { distribution: "debian-12", architectures: ["x86"] } as const;
    expect(mismatch(x86Only, serverTypeOf("cax21"))).toBe("arm");
    expect(mismatch(x86Only, serverTypeOf("cx33"))).toBeUndefined();
    expect(mismatch(x86Only, undefined)).toBeUndefined();
  });

  it("adds up a machine's price: the server, its IPv4 address, its volume", () => {
    expect(monthlyCost({ type: "cx33", publicIpv4: false })).toEqual({ amount: 6.49, currency: "EUR" });
    const { amount } = monthlyCost({ type: "cx33", publicIpv4: true, volumeGiB: 100 });
    expect(amount).toBeCloseTo(6.49 + 0.5 + 4.4);
  });
});

describe("a load balancer", () => {
  const machines = [machine("a", "server"), machine("w", "agent", { ingress: true })];
  const balanced = { loadBalancer: { type: "lb11", location: "fsn1", proxyProtocol: false } } as const;
  const openPortsOf = (nodes: readonly GraphNode[]): string[] =>
    nodes
      .filter(({ type }) => type === "hcloud:index/firewall:Firewall")
      .flatMap(({ inputs }) => (inputs["rules"] as { readonly port: string }[]).map(({ port }) => port));

  it("finds the servers that take requests by label, over the private network", async () => {
    const nodes = await record(machines, balanced);
    const target = find(nodes, "fsn1-cloud-load-balancer-target");
    expect(target.inputs).toMatchObject({
      type: "label_selector",
      labelSelector: "hybrid-k3s/region=fsn1,hybrid-k3s/site=cloud,hybrid-k3s/balanced=yes",
      usePrivateIp: true,
    });
    expect(target.dependsOn).toContain("fsn1-cloud-load-balancer-network");
    expect(find(nodes, "w-server").inputs["labels"]).toMatchObject({ "hybrid-k3s/balanced": "yes" });
    expect(find(nodes, "a-server").inputs["labels"]).not.toHaveProperty("hybrid-k3s/balanced");
    const services = nodes.filter(({ type }) => type === "hcloud:index/loadBalancerService:LoadBalancerService");
    expect(services.map(({ inputs }) => [inputs["listenPort"], inputs["destinationPort"]])).toEqual(
      expect.arrayContaining([
        [80, 80],
        [443, 443],
      ]),
    );
  });

  it("closes ports 80 and 443 of the servers behind it, which are open without one", async () => {
    expect(openPortsOf(await record(machines))).toEqual(expect.arrayContaining(["80", "443"]));
    const ports = openPortsOf(await record(machines, balanced));
    expect(ports).not.toContain("80");
    expect(ports).not.toContain("443");
  });

  it("is none where the settings have none", async () => {
    const nodes = await record(machines);
    expect(nodes.filter(({ type }) => type.includes("oadBalancer"))).toEqual([]);
    expect(find(nodes, "w-server").inputs["labels"]).not.toHaveProperty("hybrid-k3s/balanced");
  });
});
