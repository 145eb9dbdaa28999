import { mtusOf } from "../../components/network/mtu.ts";
import type { MeshDevice } from "../../provider/control/control.ts";
import type { Evidence, Expectations, ExpectedNode, HostFacts, NodeView, Way } from "../../tools/doctor/evidence.ts";
import type { Finding, NodeCheck } from "../../tools/doctor/finding.ts";
import { planWays } from "../../tools/doctor/plan.ts";
import { HOST_KEY } from "./sample.ts";

/** When the sample was looked at. */
export const NOW = new Date("2026-11-26T12:00:00Z");

const NODES: readonly ExpectedNode[] = [
  { name: "s-1", role: "server", site: "tokyo", address: "10.20.0.11" },
  { name: "s-2", role: "server", site: "tokyo", address: "10.20.0.12" },
  { name: "a-1", role: "agent", site: "home", address: "10.30.0.21" },
  { name: "a-2", role: "agent", site: "home", address: "10.30.0.22" },
];

/** Two sites, two nodes each, in a mesh of Tailscale, flannel as the pod network. */
export const EXPECTATIONS: Expectations = {
  region: "tokyo",
  nodes: NODES,
  sites: {
    tokyo: { lan: "10.20.0.0/24", nodeAddresses: "lan" },
    home: { lan: "10.30.0.0/24", nodeAddresses: "lan" },
  },
  mesh: { provider: "tailscale", interface: "tailscale0", tag: "tag:k3s-tokyo", siteRule: true },
  mtus: mtusOf({ cni: "flannel", mesh: "tailscale" }),
  tunnel: "flannel.1",
  differences: [],
};

/** The same without a mesh: sites reach each other by routing. */
export const WITHOUT_MESH: Expectations = {
  region: "tokyo",
  nodes: NODES,
  sites: EXPECTATIONS.sites,
  mtus: mtusOf({ cni: "flannel", mesh: "none" }),
  tunnel: "flannel.1",
  differences: [],
};

const meshAddress = (name: string): string => `100.64.0.${NODES.findIndex((node) => node.name === name) + 1}`;

/** A node's device, as it should be. */
export const deviceOf = (name: string, more: Partial<MeshDevice> = {}): MeshDevice => ({
  id: `id-${name}`,
  name,
  dnsName: name,
  hostname: name,
  address: meshAddress(name),
  tags: ["tag:k3s-tokyo"],
  created: NOW,
  online: true,
  waitsForApproval: false,
  routes: { advertised: [], approved: [] },
  ...more,
});

function factsOf(node: ExpectedNode, { mesh, mtus, sites, nodes, tunnel }: Expectations): HostFacts {
  const far = Object.entries(sites).filter(([site]) => site !== node.site);
  const others = nodes.filter(({ site }) => site !== node.site);
  const unit = node.role === "server" ? "k3s" : "k3s-agent";
  const same: HostFacts = {
    clock: { offset: 0.01, uncertainty: 0.02, synchronised: true },
    missing: [],
    units: { [unit]: "active" },
    mtus: tunnel === undefined ? {} : { [tunnel]: mtus.pods, cni0: mtus.pods },
    rules: [],
    meshRoutes: [],
  };
  if (mesh === undefined) return same;
  const tailscale = mesh.provider === "tailscale";
  const near = { priority: 2500, to: sites[node.site]?.lan ?? "", action: "lookup main" };
  return {
    ...same,
    units: { ...same.units, [tailscale ? "tailscaled" : "netbird"]: "active", "hybrid-k3s-mesh": "active" },
    mtus: { ...same.mtus, [mesh.interface]: mtus.meshMtu ?? 0 },
    rules: [
      ...(mesh.siteRule ? [near] : []),
      ...far.map(([, { lan }]) => ({ priority: 5300, to: lan, action: "unreachable" })),
    ],
    meshRoutes: tailscale ? others.map(({ address }) => `${address}/32`) : [],
    client: {
      state: tailscale ? "Running" : "Connected",
      name: node.name,
      address: meshAddress(node.name),
      approved: tailscale ? [`${meshAddress(node.name)}/32`, `${node.address}/32`] : [],
      peers: nodes.filter(({ name }) => name !== node.name).map(({ name }) => ({ name, address: meshAddress(name) })),
    },
  };
}

/** Every way as the plan asks for it, and as it should be. */
function waysOf(view: NodeView, evidence: Evidence): Way[] {
  const { mesh } = evidence.expectations;
  return planWays(view, evidence).map(({ to, over, bytes }) => ({
    to,
    over,
    device: over === "mesh" ? (mesh?.interface ?? "") : "eth0",
    ...(mesh === undefined ? {} : { path: { kind: "direct" as const, through: "192.0.2.1:41641" } }),
    ...(bytes === undefined ? {} : { latency: over === "lan" ? 0.2 : 41.7, large: { bytes, passes: true } }),
  }));
}

/** All that is found of a region that is well. */
export function healthy(expectations: Expectations = EXPECTATIONS): Evidence {
  const nodes = expectations.nodes.map((node): NodeView => ({
    node,
    target: { name: node.name, user: "ops", host: node.address, port: 22, hostKey: HOST_KEY },
    reached: { phase: "ok" },
    facts: factsOf(node, expectations),
    ways: [],
  }));
  const devices =
    expectations.mesh === undefined ? {} : { devices: { list: nodes.map(({ node }) => deviceOf(node.name)) } };
  const first: Evidence = { expectations, nodes, now: NOW, ...devices };
  return { ...first, nodes: nodes.map((view) => ({ ...view, ways: waysOf(view, first) })) };
}

/** A change of what is known of one node; facts are merged over those that are there, ways are changed by name. */
export interface NodeChange extends Omit<Partial<NodeView>, "facts" | "ways"> {
  readonly facts?: Partial<HostFacts>;
  readonly client?: Partial<NonNullable<HostFacts["client"]>>;
  readonly ways?: Readonly<Record<string, Partial<Way>>>;
}

function changed(view: NodeView, { facts, client, ways, ...more }: NodeChange): NodeView {
  const old = view.facts!;
  return {
    ...view,
    ...more,
    facts: { ...old, ...facts, ...(client === undefined ? {} : { client: { ...old.client!, ...client } }) },
    ways: view.ways.map((way) => ({ ...way, ...ways?.[way.to] })),
  };
}

/** Evidence in which some nodes are not as they should be. */
export const withNodes = (evidence: Evidence, changes: Readonly<Record<string, NodeChange>>): Evidence => ({
  ...evidence,
  nodes: evidence.nodes.map((view) =>
    changes[view.node.name] === undefined ? view : changed(view, changes[view.node.name]!),
  ),
});

/** Evidence in which a node was not reached. */
export const unreached = (evidence: Evidence, name: string, reached: NodeView["reached"]): Evidence => ({
  ...evidence,
  nodes: evidence.nodes.map(({ facts, ...view }) =>
    view.node.name === name
      ? { ...view, ways: [], ...(reached === undefined ? {} : { reached }) }
      : { ...view, ...(facts === undefined ? {} : { facts }) },
  ),
});

/** Findings of a check in all nodes, as `text | fix`. */
export const findingsOf = (check: NodeCheck, evidence: Evidence): string[] =>
  evidence.nodes.flatMap((view) => lines(check(view, evidence)?.findings ?? []));

/** Findings as `text | fix`. */
export const lines = (findings: readonly Finding[]): string[] => findings.map(({ text, fix }) => `${text} | ${fix}`);

/** What a check says to be well of one node. */
export const wellOf = (check: NodeCheck, evidence: Evidence, name = "s-1"): string | undefined =>
  check(
    evidence.nodes.find(({ node }) => node.name === name)!,
    evidence,
  )?.well;

/** The same without one of its fields. */
export function without<Value extends object, Key extends keyof Value>(value: Value, key: Key): Omit<Value, Key> {
  const copy = { ...value };
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the copy is ours
  delete copy[key];
  return copy;
}
