import { plannedReleases, releasePath, sitesOf } from "../planned-releases.ts";
import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** Replicas that wait for each other stand in different sites. */
export const wanReplication: Guardrail = {
  id: "wan-replication",
  reason: "a write that waits for another site takes as long as the line between them, and stops when the line does",
  severity: "refuse",
  check: (settings) =>
    plannedReleases(settings).releases.flatMap(({ name, workloads }) =>
      workloads
        .filter(({ replication, replicas }) => replication === "synchronous" && replicas !== 1)
        .filter((workload) => sitesOf(workload).length > 1)
        .map((workload) =>
          problemText(
            releasePath(name),
            `${workload.name} replicates synchronously over ${sitesOf(workload).join(" and ")}`,
            {
              allowed: "synchronous replicas in one site",
              fix: `write ${releasePath(name)}.place.site with one of them, and send backups to the other`,
            },
          ),
        ),
    ),
};
