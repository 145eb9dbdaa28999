import { CATALOGUE } from "../components/platform/catalogue.ts";
import type { Claims, ReleaseProblem } from "../components/platform/release.ts";
import type { Place } from "../components/platform/spot.ts";
import type { Topology } from "../components/platform/topology.ts";
import type { Workload } from "../components/platform/workload.ts";
import type { RegionSettings } from "./region-settings.ts";
import { topologyOf } from "./topology.ts";

/** What a release of a region is going to be, as guardrails see it. */
export interface PlannedRelease {
  readonly name: string;
  readonly place: Place;
  readonly needs: readonly string[];
  readonly workloads: readonly Workload[];
  readonly claims: Claims;
  readonly problems: readonly ReleaseProblem[];
}

/** A region's releases in the catalogue's order, and where they are to run. */
export function plannedReleases(settings: RegionSettings): {
  readonly topology: Topology;
  readonly releases: readonly PlannedRelease[];
} {
  const topology = topologyOf(settings);
  const releases = CATALOGUE.flatMap((definition): PlannedRelease[] => {
    const own = settings.platform[definition.name];
    if (own === undefined) return [];
    const given = [topology, own as never] as const;
    return [
      {
        name: definition.name,
        place: own.place,
        needs: definition.needs?.(own as never) ?? [],
        workloads: definition.workloads(...given),
        claims: definition.claims?.(...given) ?? {},
        problems: definition.problems?.(...given) ?? [],
      },
    ];
  });
  return { topology, releases };
}

/** Where a release stands in the settings. */
export const releasePath = (name: string): string => `platform.${name}`;

/** The sites of some pools, each once. */
export const sitesOf = (workload: Workload): readonly string[] => [
  ...new Set(workload.spot.pools.map(({ site }) => site)),
];
