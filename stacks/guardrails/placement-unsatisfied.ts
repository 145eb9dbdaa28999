import { ANY_SITE, type Place } from "../../components/platform/spot.ts";
import { nodesIn, poolNames, type Topology } from "../../components/platform/topology.ts";
import type { Workload } from "../../components/platform/workload.ts";
import { plannedReleases, releasePath } from "../planned-releases.ts";
import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** A site or a pool that the region does not have, or not together. */
function unknownPlace(path: string, { site, pool }: Place, { sites, pools }: Topology): string[] {
  const names = sites.map(({ name }) => name);
  if (site !== undefined && site !== ANY_SITE && !names.includes(site)) {
    const rule = { allowed: `${names.join(", ")}, or ${ANY_SITE}`, fix: "write the name of a site of this region" };
    return [problemText(`${path}.place.site`, JSON.stringify(site), rule)];
  }
  const there = pools.filter((one) => site === undefined || site === ANY_SITE || one.site === site);
  if (pool !== undefined && !there.some(({ name }) => name === pool)) {
    const where = site === undefined || site === ANY_SITE ? "this region" : `site ${site}`;
    const rule = {
      allowed: [...new Set(there.map(({ name }) => name))].join(", "),
      fix: `write the name of a pool of ${where}`,
    };
    return [problemText(`${path}.place.pool`, JSON.stringify(pool), rule)];
  }
  return [];
}

function tooMany(path: string, { name, replicas, apart, spot }: Workload): string[] {
  const nodes = nodesIn(spot.pools);
  if (nodes === 0) {
    const rule = { allowed: "a pool that pods may run on", fix: "name another place, or take the taint off a pool" };
    return [problemText(path, `no pool that takes ${name}`, rule)];
  }
  if (apart !== true || replicas === "every-node" || replicas <= nodes) return [];
  return [
    problemText(path, `${replicas} replicas of ${name}, each on a machine of its own`, {
      allowed: `at most ${nodes}, the machines of ${poolNames(spot.pools)} that let it in`,
      fix: "take fewer replicas, name a larger place, or add machines there without a taint",
    }),
  ];
}

/** A release is to run where the region has no room for it. */
export const placementUnsatisfied: Guardrail = {
  id: "placement-unsatisfied",
  reason: "pods that fit nowhere stay Pending, and the update waits for them until its time is up",
  severity: "refuse",
  check: (settings) => {
    const { topology, releases } = plannedReleases(settings);
    return releases.flatMap(({ name, place, workloads }) => {
      const path = releasePath(name);
      const unknown = unknownPlace(path, place, topology);
      return unknown.length > 0 ? unknown : workloads.flatMap((workload) => tooMany(path, workload));
    });
  },
};
