import { type Place, type Spot, spotFor, type Toleration } from "./spot.ts";
import type { Topology } from "./topology.ts";

/** k3s's load balancer keeps to nodes with this label as soon as one has it. https://docs.k3s.io/networking/networking-services */
const BALANCED = { "svccontroller.k3s.cattle.io/enablelb": "true" } as const;

/** What k3s's Traefik tolerates as it is brought. https://github.com/k3s-io/k3s/blob/master/manifests/traefik.yaml */
export const TRAEFIK_TOLERATIONS: readonly Toleration[] = [
  { key: "CriticalAddonsOnly", operator: "Exists" },
  { key: "node-role.kubernetes.io/control-plane", operator: "Exists", effect: "NoSchedule" },
];

/** Tolerates every taint there is: to ask for all pools. */
const EVERYTHING: readonly Toleration[] = [{ operator: "Exists" }];

/** What is tolerated by either, each once. */
const together = (...lists: readonly (readonly Toleration[])[]): Toleration[] => [
  ...new Map(lists.flat().map((one) => [JSON.stringify(one), one])).values(),
];

/**
 * Where requests come in: the pools with `ingress`, also those that a taint keeps for that; or where no pool has it, every
 * node that lets the work in.
 * @param tolerations what its pods tolerate anyway
 */
export function ingressSpot(topology: Topology, place: Place, tolerations: readonly Toleration[] = []): Spot {
  const { pools, nodeSelector } = spotFor(topology, place, "every-node", EVERYTHING);
  const open = pools.filter(({ ingress }) => ingress);
  if (open.length === 0) return spotFor(topology, place, "every-node", tolerations);
  const theirs = open.flatMap(({ taints }) =>
    taints.map(({ key, value, effect }): Toleration => ({ key, operator: "Equal", value, effect })),
  );
  return {
    pools: open,
    nodeSelector: { ...nodeSelector, ...BALANCED },
    tolerations: together(tolerations, theirs),
  };
}

/**
 * Annotations of a Service of type LoadBalancer whose pods are in a spot: ServiceLB's own pods are to be where they are,
 * and know no taint but those of servers. https://docs.k3s.io/networking/networking-services
 */
export const balancerAnnotations = ({ tolerations }: Spot): Record<string, string> =>
  tolerations.length === 0 ? {} : { "svccontroller.k3s.cattle.io/tolerations": JSON.stringify(tolerations) };
