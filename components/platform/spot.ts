import type { Kept } from "./lasting.ts";
import { nodesIn, type Topology, type TopologyPool, type TopologyTaint } from "./topology.ts";

/** Word for `site` of a release that may run in every site, also where it would stay in one. */
export const ANY_SITE = "any";

/** Where a user wants a release to run. */
export interface Place {
  /** Name of a site, or {@link ANY_SITE}. @default what the work is made for */
  readonly site?: string | undefined;
  readonly pool?: string | undefined;
  /** What runs of the release. The stack knows it; no setting says it. @default nothing yet */
  readonly kept?: Kept | undefined;
}

/**
 * What kind of work it is. `anywhere`: it keeps nothing and answers slowly if it must. `steady`: it keeps data or waits for
 * an answer in a short time, so it stays in one site, on machines that do not sleep. `every-node`: one on each machine
 * that lets it in.
 */
export type Work = "anywhere" | "steady" | "every-node";

/** Where a workload may run: the pools, and how pods are told so. */
export interface Spot {
  readonly pools: readonly TopologyPool[];
  /** Labels that a node has, for `nodeSelector`. */
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** What its pods have to tolerate to run on all of these pools; they must have no others, or they run on more. */
  readonly tolerations: readonly Toleration[];
}

/** A toleration of Kubernetes: without a key one of every key, without an effect one of every effect. */
export interface Toleration {
  readonly key?: string;
  readonly operator: "Exists" | "Equal";
  readonly value?: string;
  readonly effect?: TopologyTaint["effect"];
}

const tolerates = (toleration: Toleration, { key, value, effect }: TopologyTaint): boolean =>
  (toleration.key === undefined || toleration.key === key) &&
  (toleration.effect === undefined || toleration.effect === effect) &&
  (toleration.operator === "Exists" || toleration.value === value);

/** Whether pods with some tolerations may run on a pool's machines. */
export const letsIn = ({ taints }: TopologyPool, tolerations: readonly Toleration[]): boolean =>
  taints.every((taint) => tolerations.some((toleration) => tolerates(toleration, taint)));

/** Labels that say where a node stands; see components/k3s/config.ts. */
export const NODE_LABELS = {
  site: "hybrid-k3s.io/site",
  pool: "hybrid-k3s.io/pool",
  intermittent: "hybrid-k3s.io/intermittent",
} as const;

/** GiB of memory of some pools; machines of unknown size count as one of 4 GiB. */
const memoryOf = (pools: readonly TopologyPool[]): number =>
  pools.reduce(
    (sum, { nodes, sizes }) =>
      sum + sizes.reduce((part, { memoryGiB }) => part + memoryGiB, 0) + 4 * (nodes - sizes.length),
    0,
  );

/**
 * The site that work goes to which has to stay in one: where most memory is on machines that do not sleep, agents before
 * servers. Undefined where no pool takes such work.
 */
export function steadySite({ pools, sites }: Pick<Topology, "pools" | "sites">): string | undefined {
  const able = pools.filter(({ intermittent, taints }) => !intermittent && taints.length === 0);
  const agents = able.filter(({ role }) => role === "agent");
  const candidates = agents.length > 0 ? agents : able;
  const weights = sites.map(({ name }) => ({ name, memory: memoryOf(candidates.filter(({ site }) => site === name)) }));
  return weights.filter(({ memory }) => memory > 0).sort((one, other) => other.memory - one.memory)[0]?.name;
}

/** The site that such work is in already, while its pods may run there; else the one that it would go to today. */
function homeSite(topology: Topology, { kept }: Place, tolerations: readonly Toleration[]): string | undefined {
  const stays = topology.pools.some((pool) => pool.site === kept?.site && letsIn(pool, tolerations));
  return stays ? kept?.site : steadySite(topology);
}

/**
 * Where a workload may run in a region. The pools are empty where the user's wish names none that takes it.
 * @param tolerations what its pods tolerate: as their values have it. Without, machines with a taint are not for it.
 */
export function spotFor(topology: Topology, place: Place, work: Work, tolerations: readonly Toleration[] = []): Spot {
  const home = work === "steady" && place.pool === undefined ? homeSite(topology, place, tolerations) : undefined;
  const chosen = place.site ?? home;
  const site = chosen === ANY_SITE ? undefined : chosen;
  const fitting = topology.pools.filter(
    (pool) =>
      (site === undefined || pool.site === site) &&
      (place.pool === undefined || pool.name === place.pool) &&
      letsIn(pool, tolerations),
  );
  const steady = fitting.filter(({ intermittent }) => !intermittent);
  // Where every pool sleeps, or the user names such a pool, it is not for us to leave it out: a guardrail speaks of it.
  const away = work === "steady" && steady.length > 0 && steady.length < fitting.length;
  return {
    pools: away ? steady : fitting,
    nodeSelector: {
      ...(site === undefined ? {} : { [NODE_LABELS.site]: site }),
      ...(place.pool === undefined ? {} : { [NODE_LABELS.pool]: place.pool }),
      ...(away ? { [NODE_LABELS.intermittent]: "false" } : {}),
    },
    tolerations,
  };
}

/**
 * As many replicas as are wanted, and no more than there are machines to hold one each.
 * @param most how many would be good to have
 */
export const replicasIn = ({ pools }: Spot, most: number): number => Math.max(1, Math.min(most, nodesIn(pools)));

/**
 * A number that runs of a release, if there still is room for it; see `Lasting.facts`.
 * @param most how many there is room for
 */
export function keptFact({ kept }: Place, fact: string, most: number): number | undefined {
  const value = kept?.facts[fact];
  return value === undefined || value > most ? undefined : value;
}

/** Keeps replicas on machines of their own, as far as there are any. */
export const spreadOverNodes = (labels: Readonly<Record<string, string>>): Record<string, unknown>[] => [
  {
    maxSkew: 1,
    topologyKey: "kubernetes.io/hostname",
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: labels },
  },
];
