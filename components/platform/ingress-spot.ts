import { type Place, type Spot, spotFor } from "./spot.ts";
import type { Topology } from "./topology.ts";

/** k3s's load balancer keeps to nodes with this label as soon as one has it. https://docs.k3s.io/networking/networking-services */
const BALANCED = { "svccontroller.k3s.cattle.io/enablelb": "true" } as const;

/** Where requests come in: the pools with `ingress`, or where no pool has it, every node. */
export function ingressSpot(topology: Topology, place: Place): Spot {
  const chosen = spotFor(topology, place, "every-node");
  const open = chosen.pools.filter(({ ingress }) => ingress);
  if (open.length === 0) return chosen;
  return { pools: open, nodeSelector: { ...chosen.nodeSelector, ...BALANCED } };
}
