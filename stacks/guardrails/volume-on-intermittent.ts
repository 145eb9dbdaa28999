import { poolNames } from "../../components/platform/topology.ts";
import type { Workload } from "../../components/platform/workload.ts";
import { plannedReleases, releasePath } from "../planned-releases.ts";
import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** What a workload keeps, in words; undefined where it keeps nothing. */
function keptBy({ name, volumeGiB, keepsData }: Workload): string | undefined {
  if (volumeGiB !== undefined) return `a volume of ${name}`;
  return keepsData === true ? `data of ${name}` : undefined;
}

/** Data is to lie on machines that come and go. */
export const volumeOnIntermittent: Guardrail = {
  id: "volume-on-intermittent",
  reason: "a volume is where its machine is: while that sleeps, its pod cannot start anywhere else",
  severity: "ask",
  check: (settings) =>
    plannedReleases(settings).releases.flatMap(({ name, workloads }) =>
      workloads.flatMap((workload) => {
        const kept = keptBy(workload);
        const asleep = workload.spot.pools.filter(({ intermittent }) => intermittent);
        if (kept === undefined || asleep.length === 0) return [];
        return [
          problemText(releasePath(name), `${kept} on the intermittent pool ${poolNames(asleep)}`, {
            allowed: "volumes on pools whose machines stay",
            fix: `write ${releasePath(name)}.place with a pool or a site that stays`,
          }),
        ];
      }),
    ),
};
