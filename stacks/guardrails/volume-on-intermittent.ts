import { plannedReleases, releasePath } from "../planned-releases.ts";
import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** Data is to lie on machines that come and go. */
export const volumeOnIntermittent: Guardrail = {
  id: "volume-on-intermittent",
  reason: "a volume is where its machine is: while that sleeps, its pod cannot start anywhere else",
  severity: "ask",
  check: (settings) =>
    plannedReleases(settings).releases.flatMap(({ name, workloads }) =>
      workloads.flatMap(({ name: workload, volumeGiB, spot }) => {
        const asleep = spot.pools.filter(({ intermittent }) => intermittent).map((pool) => `${pool.site}/${pool.name}`);
        if (volumeGiB === undefined || asleep.length === 0) return [];
        return [
          problemText(releasePath(name), `a volume of ${workload} on the intermittent pool ${asleep.join(", ")}`, {
            allowed: "volumes on pools whose machines stay",
            fix: `write ${releasePath(name)}.place with a pool or a site that stays`,
          }),
        ];
      }),
    ),
};
