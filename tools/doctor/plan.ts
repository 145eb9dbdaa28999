import { byName } from "../../components/network/names.ts";
import { sameName } from "../../provider/resources/context.ts";
import type { Evidence, ExpectedNode, NodeView, Way } from "./evidence.ts";
import { isInMesh } from "./in-mesh.ts";

/** What a node is asked to try of its way to another. */
export interface WayPlan {
  readonly to: string;
  readonly over: Way["over"];
  /** The node's own address. */
  readonly address: string;
  /** Its address in the mesh; `unknown`: the mesh's client knows no peer of its name; absent: no mesh, or no client runs. */
  readonly peer?: string;
  /** Size of the packet that must pass whole. Bytes. @default it is not pinged: another node stands for its site */
  readonly bytes?: number;
}

/** Whether two nodes talk over the LAN: neighbours whose addresses are on it. */
function overOf(from: ExpectedNode, to: ExpectedNode, { mesh, sites }: Evidence["expectations"]): Way["over"] {
  const onLan = (sites[from.site]?.nodeAddresses ?? "lan") === "lan";
  if (from.site === to.site && onLan) return "lan";
  return mesh === undefined ? "routed" : "mesh";
}

/** Whom a node pings: a neighbour, and one node of each other site. Not always the same one, and one that works if there is. */
function chosen(from: NodeView, evidence: Evidence): ReadonlySet<string> {
  const sites = Map.groupBy(evidence.nodes, ({ node }) => node.site);
  const names = (views: readonly NodeView[]): string[] => views.map(({ node }) => node.name).sort(byName);
  const own = names(sites.get(from.node.site) ?? []).indexOf(from.node.name);
  const picked = [...sites.entries()].map(([site, views]) => {
    const others = views.filter(({ node }) => node.name !== from.node.name);
    const { mesh } = evidence.expectations;
    const works = (view: NodeView): boolean =>
      mesh === undefined || site === from.node.site ? view.facts !== undefined : isInMesh(view, evidence);
    const candidates = names(others.some(works) ? others.filter(works) : others);
    return candidates[own % candidates.length];
  });
  return new Set(picked.filter((name) => name !== undefined));
}

/** What a node is asked to try: its way to every other node, and pings to those that stand for their site. */
export function planWays(from: NodeView, evidence: Evidence): WayPlan[] {
  const { expectations } = evidence;
  const pinged = chosen(from, evidence);
  const client = isInMesh(from, evidence) ? from.facts?.client : undefined;
  return evidence.nodes
    .filter(({ node }) => node.name !== from.node.name)
    .map(({ node: to }) => {
      const peer = client?.peers.find(({ name }) => sameName(name, to.name));
      const over = overOf(from.node, to, expectations);
      const tries = pinged.has(to.name) && (over !== "mesh" || client !== undefined);
      return {
        to: to.name,
        over,
        address: to.address,
        ...(client === undefined ? {} : { peer: peer === undefined ? "unknown" : peer.address }),
        ...(tries ? { bytes: expectations.mtus.underlay } : {}),
      };
    });
}
