import type { RegionSettings } from "./region-settings.ts";
import { machinePath, machinesOf } from "./guardrails/guardrail.ts";
import { formatPath, problemText } from "./settings/problem.ts";

/**
 * Settings that are read and checked, but that nothing carries out yet: a preview refuses them, for a region that comes up
 * without what its settings say is worse than none.
 * @returns one line per setting, in the form of every other problem
 */
export function notBuilt(settings: RegionSettings): readonly string[] {
  const { mesh, sites } = settings;
  const refused = (path: string, found: string, allowed: string): string =>
    problemText(path, found, {
      allowed: `${allowed}, for now`,
      fix: "take it out: this version does not carry it out yet",
    });
  return [
    ...(mesh.provider === "none" ? [] : [refused("mesh.provider", mesh.provider, "none")]),
    ...sites
      .filter(({ nodeAddresses }) => nodeAddresses === "mesh")
      .map(({ name }) => refused(`${formatPath(["sites", name])}.nodeAddresses`, "mesh", "lan")),
    ...machinesOf(settings)
      .filter(({ relay }) => relay === true)
      .map((machine) => refused(`${machinePath(machine)}.relay`, "true", "false")),
  ];
}
