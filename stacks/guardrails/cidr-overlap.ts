import { cidrsOverlap } from "../../components/network/cidr.ts";
import type { RegionSettings } from "../region-settings.ts";
import { formatPath, problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

interface Range {
  /** Where the range is written or follows from. */
  readonly path: string;
  readonly cidr: string;
  /** Of two ranges in conflict, the one that is easier to change: the higher. */
  readonly movable: number;
}

const LAN = 3;
const MESH: Range = { path: "the mesh's range", cidr: "100.64.0.0/10", movable: 0 };

/** Every range that packets of this region may carry: the mesh, pods and services of all regions, its sites' LANs. */
function rangesOf(settings: RegionSettings): readonly Range[] {
  const regions = settings.regions.flatMap(({ name, pods, services }) => {
    // The ranges of a live cluster never change, so the own region gives way only to the mesh.
    const movable = name === settings.region ? 1 : 2;
    return [
      { path: formatPath(["regions.yaml", "regions", name, "pods"]), cidr: pods, movable },
      { path: formatPath(["regions.yaml", "regions", name, "services"]), cidr: services, movable },
    ];
  });
  const lans = settings.sites.map(({ name, lan }) => ({
    path: formatPath(["sites", name, "lan"]),
    cidr: lan,
    movable: LAN,
  }));
  return [MESH, ...regions, ...lans];
}

/** Ranges of regions, LANs of sites and the mesh range share no address. */
export const cidrOverlap: Guardrail = {
  id: "cidr-overlap",
  reason: "an address that lies in two ranges is routed to one of them only: the other is out of reach",
  severity: "refuse",
  check: (settings) => {
    const ranges = rangesOf(settings);
    return ranges.flatMap((one, index) =>
      ranges.slice(index + 1).flatMap((other) => {
        if (!cidrsOverlap(one.cidr, other.cidr)) return [];
        // With a mesh two sites may share a LAN range under conditions: lan-overlap knows them.
        if (settings.mesh.provider !== "none" && one.movable === LAN && other.movable === LAN) return [];
        const [fixed, moved] = one.movable <= other.movable ? [one, other] : [other, one];
        return [
          problemText(moved.path, moved.cidr, {
            allowed: `a range apart from ${fixed.path} ${fixed.cidr}`,
            fix:
              moved.movable === LAN
                ? "renumber the LAN, or state other ranges in regions.yaml for a region that is not deployed yet"
                : "state another range in regions.yaml while that region is not deployed yet",
          }),
        ];
      }),
    );
  },
};
