import type { TopologyPool } from "./topology.ts";
import type { Workload } from "./workload.ts";

/** CPU in thousandths, memory in MiB. */
export interface Amount {
  readonly cpu: number;
  readonly memory: number;
}

/**
 * What k3s itself and the system use of a machine. https://docs.k3s.io/reference/resource-profiling measured 1.6 GB for a
 * server with its datastore and 0.3 GB for an agent; the system comes on top of an agent's.
 */
const RESERVED: Readonly<Record<TopologyPool["role"], Amount>> = {
  server: { cpu: 500, memory: 1792 },
  agent: { cpu: 150, memory: 640 },
};

/** What pods can have of a machine of a pool. */
const usable = (role: TopologyPool["role"], { cpus, memoryGiB }: TopologyPool["sizes"][number]): Amount => ({
  cpu: Math.max(0, cpus * 1000 - RESERVED[role].cpu),
  memory: Math.max(0, memoryGiB * 1024 - RESERVED[role].memory),
});

const none: Amount = { cpu: 0, memory: 0 };
const plus = (one: Amount, other: Amount, times = 1): Amount => ({
  cpu: one.cpu + other.cpu * times,
  memory: one.memory + other.memory * times,
});

/** What some pools have for pods; undefined if the size of a machine is not known. */
export function capacityOf(pools: readonly TopologyPool[]): Amount | undefined {
  if (pools.some(({ nodes, sizes }) => sizes.length < nodes)) return undefined;
  return pools
    .flatMap(({ role, sizes }) => sizes.map((size) => usable(role, size)))
    .reduce((sum, one) => plus(sum, one), none);
}

/** What the largest machine of some pools has for pods; undefined if the size of a machine is not known. */
export function largestOf(pools: readonly TopologyPool[]): Amount | undefined {
  if (pools.some(({ nodes, sizes }) => sizes.length < nodes)) return undefined;
  const all = pools.flatMap(({ role, sizes }) => sizes.map((size) => usable(role, size)));
  return { cpu: Math.max(0, ...all.map(({ cpu }) => cpu)), memory: Math.max(0, ...all.map(({ memory }) => memory)) };
}

/**
 * What a workload asks for on some pools and cannot ask for anywhere else: all of it where it may run on no other pool,
 * nothing where it may; of one on every machine, its part there.
 */
export function demandOn(pools: readonly TopologyPool[], { replicas, requests, spot }: Workload): Amount {
  const here = spot.pools.filter((pool) => pools.includes(pool));
  if (replicas === "every-node")
    return plus(
      none,
      requests,
      here.reduce((sum, { nodes }) => sum + nodes, 0),
    );
  return here.length === spot.pools.length && here.length > 0 ? plus(none, requests, replicas) : none;
}

/** Every choice of pools, the small ones first. */
export function choicesOf(pools: readonly TopologyPool[]): readonly (readonly TopologyPool[])[] {
  const all = pools.reduce<readonly (readonly TopologyPool[])[]>(
    (choices, pool) => [...choices, ...choices.map((choice) => [...choice, pool])],
    [[]],
  );
  return all.filter(({ length }) => length > 0).toSorted((one, other) => one.length - other.length);
}
