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

/** Above, unions of more than two of what workloads name are left out: they double with each further one. */
const MOST_CHOICES = 2000;

/**
 * The choices of pools that can be too full where no part of them is, the small ones first: single pools, for what runs
 * on every node, and what workloads name, alone and together. Of any other choice work may go elsewhere.
 */
export function choicesOf(
  pools: readonly TopologyPool[],
  workloads: readonly Workload[],
): readonly (readonly TopologyPool[])[] {
  const named = workloads.filter(({ replicas }) => replicas !== "every-node").map(({ spot }) => spot.pools);
  const choices = new Map<string, readonly TopologyPool[]>();
  const add = (chosen: ReadonlySet<TopologyPool>): void => {
    const choice = pools.filter((pool) => chosen.has(pool));
    choices.set(choice.map((pool) => pools.indexOf(pool)).join(), choice);
  };
  const spots = [...new Map(named.map((spot) => [spot.map((pool) => pools.indexOf(pool)).join(), spot])).values()];
  for (const spot of spots) {
    const before = choices.size > MOST_CHOICES ? spots : [...choices.values()];
    for (const choice of before) add(new Set([...choice, ...spot]));
    add(new Set(spot));
  }
  for (const pool of pools) add(new Set([pool]));
  add(new Set(pools));
  return [...choices.values()].filter(({ length }) => length > 0).toSorted((one, other) => one.length - other.length);
}
