import { isDnsLabel, MAX_LABEL_LENGTH } from "../../components/network/names.ts";
import type { RegionSettings } from "../region-settings.ts";
import { formatPath, problemText } from "../settings/problem.ts";
import { type Guardrail, machinePath, machinesOf } from "./guardrail.ts";

/** Every name that becomes a node, host or device name or a label value, with its place in the settings. */
function namesOf(settings: RegionSettings): readonly (readonly [path: string, name: string])[] {
  const pools = new Map(
    machinesOf(settings).map(({ site, pool }) => [formatPath(["sites", site, "pools", pool]), pool]),
  );
  return [
    ["region", settings.region],
    ...settings.sites.map(({ name }) => [formatPath(["sites", name]), name] as const),
    ...pools,
    ...machinesOf(settings).map((machine) => [machinePath(machine), machine.name] as const),
  ];
}

const badNames = (settings: RegionSettings): string[] =>
  namesOf(settings)
    .filter(([, name]) => !isDnsLabel(name))
    .map(([path, name]) =>
      problemText(path, `the name ${JSON.stringify(name)}`, {
        allowed: `at most ${MAX_LABEL_LENGTH} of a-z, 0-9 and -, with a letter or digit at both ends`,
        fix: "rename it before it is deployed: a name is identity, and renaming a machine replaces it",
      }),
    );

function longNames(settings: RegionSettings): string[] {
  return machinesOf(settings).flatMap((machine) => {
    const full = `${settings.region}-${machine.name}`;
    if (!isDnsLabel(machine.name) || full.length <= MAX_LABEL_LENGTH) return [];
    return [
      problemText(machinePath(machine), `${full.length} characters in ${JSON.stringify(full)}`, {
        allowed: `at most ${MAX_LABEL_LENGTH} characters in <region>-<machine>`,
        fix: `shorten the machine's name to ${MAX_LABEL_LENGTH - settings.region.length - 1} characters`,
      }),
    ];
  });
}

/** Names of regions, sites, pools and machines are RFC 1123 labels that fit with the region in front. */
export const nameRules: Guardrail = {
  id: "name-rules",
  reason: "names become node names, host names and label values, which are RFC 1123 labels",
  severity: "refuse",
  check: (settings) => [...badNames(settings), ...longNames(settings)],
};
