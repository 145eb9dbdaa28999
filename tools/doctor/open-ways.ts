import type { Evidence, NodeView, Way } from "./evidence.ts";
import { isInMesh } from "./in-mesh.ts";
import { hasOpenRoute, missingRoutes } from "./mesh-routes.ts";

/** A way and the node at its other end. */
export interface OpenWay {
  readonly way: Way;
  readonly to: NodeView;
}

/**
 * A node's ways that ought to work: what keeps the others from working (a host that was not reached, a client that does not
 * run, a route that is not there) is a finding by itself.
 */
export function openWays(view: NodeView, evidence: Evidence): OpenWay[] {
  const withoutRoute = new Set(missingRoutes(view, evidence).map(({ name }) => name));
  return view.ways.flatMap((way) => {
    const to = evidence.nodes.find(({ node }) => node.name === way.to);
    if (to?.facts === undefined) return [];
    const through = way.over === "mesh";
    if (through && !(isInMesh(view, evidence) && isInMesh(to, evidence))) return [];
    const routed = hasOpenRoute(to, evidence) && !withoutRoute.has(way.to);
    return through && !routed ? [] : [{ way, to }];
  });
}

/** Whether the mesh itself leads to the other end, or there is none in between. */
export const isLed = ({ way }: OpenWay): boolean =>
  way.over !== "mesh" || (way.path?.kind !== "none" && way.path?.kind !== "unknown peer");
