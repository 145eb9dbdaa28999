import { type Amount, capacityOf, choicesOf, demandOn, largestOf } from "../../components/platform/capacity.ts";
import { poolNames, type TopologyPool } from "../../components/platform/topology.ts";
import type { Workload } from "../../components/platform/workload.ts";
import { type PlannedRelease, plannedReleases, releasePath } from "../planned-releases.ts";
import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

const WORDS = {
  cpu: (value: number): string => `${(value / 1000).toFixed(1)} CPUs`,
  memory: (value: number): string => `${(value / 1024).toFixed(1)} GiB`,
} as const;
type Resource = keyof typeof WORDS;
const RESOURCES = ["cpu", "memory"] as const satisfies readonly Resource[];

/** The three releases that ask for most, in words. */
const largest = (releases: readonly { readonly name: string; readonly demand: Amount }[], resource: Resource): string =>
  releases
    .filter(({ demand }) => demand[resource] > 0)
    .toSorted((one, other) => other.demand[resource] - one.demand[resource])
    .slice(0, 3)
    .map(({ name, demand }) => `${name} ${WORDS[resource](demand[resource])}`)
    .join(", ");

function sums(pools: readonly TopologyPool[], releases: readonly PlannedRelease[]): string[] {
  const choices = choicesOf(
    pools,
    releases.flatMap(({ workloads }) => workloads),
  );
  return RESOURCES.flatMap((resource) => {
    for (const choice of choices) {
      const capacity = capacityOf(choice);
      if (capacity === undefined) continue;
      const demands = releases.map(({ name, workloads }) => ({
        name,
        demand: workloads
          .map((workload) => demandOn(choice, workload))
          .reduce((sum, one) => ({ cpu: sum.cpu + one.cpu, memory: sum.memory + one.memory }), { cpu: 0, memory: 0 }),
      }));
      const demand = demands.reduce((sum, one) => sum + one.demand[resource], 0);
      if (demand <= capacity[resource]) continue;
      const found = `${WORDS[resource](demand)} asked for on ${poolNames(choice)} (${largest(demands, resource)})`;
      return [
        problemText("platform", found, {
          allowed: `at most ${WORDS[resource](capacity[resource])}, what its machines have beside k3s`,
          fix: "take a release out, give it fewer replicas, place it elsewhere, or add machines there; where values or a spec of yours lower it, which is not seen here, accept this",
        }),
      ];
    }
    return [];
  });
}

function tooLarge(path: string, { name, requests, spot }: Workload): string[] {
  const most = largestOf(spot.pools);
  if (most === undefined) return [];
  return RESOURCES.filter((resource) => requests[resource] > most[resource]).map((resource) =>
    problemText(path, `a pod of ${name} that asks for ${WORDS[resource](requests[resource])}`, {
      allowed: `at most ${WORDS[resource](most[resource])}, what the largest machine of ${poolNames(spot.pools)} has beside k3s`,
      fix: "place it on larger machines, or lower it by its settings; where values or a spec of yours lower it, which is not seen here, accept this",
    }),
  );
}

/** The releases ask for more than the pools have. */
export const overCommitted: Guardrail = {
  id: "over-committed",
  reason: "pods that ask for more than the machines have stay Pending: whichever comes last is the one that is missing",
  severity: "ask",
  check: (settings) => {
    const { topology, releases } = plannedReleases(settings);
    const pods = releases.flatMap(({ name, workloads }) =>
      workloads.flatMap((one) => tooLarge(releasePath(name), one)),
    );
    return pods.length > 0 ? pods : sums(topology.pools, releases);
  },
};
