import type { MachineSpec } from "../components/machine.ts";
import { plannedReleases } from "./planned-releases.ts";
import type { RegionSettings } from "./region-settings.ts";

/**
 * Kernel settings of machines that releases may run on: what is to run where is known before any machine is made.
 * @returns for a machine, lines of sysctl.d, each once
 */
export function kernelSettings(
  settings: RegionSettings,
): (spec: Pick<MachineSpec, "site" | "pool">) => readonly string[] {
  const workloads = plannedReleases(settings).releases.flatMap((release) => release.workloads);
  return ({ site, pool }) => [
    ...new Set(
      workloads.flatMap(({ kernel = [], spot }) =>
        spot.pools.some((one) => one.site === site && one.name === pool) ? kernel : [],
      ),
    ),
  ];
}
