import { sameName } from "../../provider/resources/context.ts";
import type { Evidence, ExpectedNode, NodeView } from "./evidence.ts";
import { isInMesh } from "./in-mesh.ts";

/** Whether a node's address is on its site's LAN, so that the mesh must carry a route to it. */
export const onLan = (node: ExpectedNode, { sites }: Evidence["expectations"]): boolean =>
  sites[node.site]?.nodeAddresses === "lan";

/** A route of one's own is Tailscale's way: a NetBird route belongs to a network's routers. */
const needsRoute = ({ node }: NodeView, { expectations }: Evidence): boolean =>
  expectations.mesh?.provider === "tailscale" && onLan(node, expectations);

/** Whether the control plane has approved a node's own route, by what its host knows or by its own word; or none is needed. */
export function hasOpenRoute(view: NodeView, evidence: Evidence): boolean {
  const { node, facts } = view;
  const { devices } = evidence;
  const route = `${node.address}/32`;
  if (!needsRoute(view, evidence) || facts?.client?.approved.includes(route) === true) return true;
  if (devices === undefined || "notLookedAt" in devices) return false;
  return devices.list.some(({ name, routes }) => sameName(name, node.name) && routes.approved.includes(route));
}

/** Nodes of other sites, in the mesh and with their route approved, that a host has no way to through the mesh. */
export function missingRoutes(view: NodeView, evidence: Evidence): ExpectedNode[] {
  const { expectations } = evidence;
  const isMissing = (other: NodeView): boolean => {
    if (!onLan(other.node, expectations) || !isInMesh(other, evidence)) return false;
    if (needsRoute(other, evidence)) {
      const known = view.facts?.meshRoutes.includes(`${other.node.address}/32`) === true;
      return !known && hasOpenRoute(other, evidence);
    }
    const way = view.ways.find(({ to }) => to === other.node.name);
    return way !== undefined && way.device !== expectations.mesh?.interface;
  };
  return evidence.nodes
    .filter((other) => other.node.site !== view.node.site && isMissing(other))
    .map(({ node }) => node);
}
