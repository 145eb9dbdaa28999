import type { RegionSettings } from "./region-settings.ts";
import { problemText } from "./settings/problem.ts";

/**
 * Settings that are read and checked, but that nothing carries out yet: a preview refuses them, for a region that comes up
 * without what its settings say is worse than none.
 * @returns one line per setting, in the form of every other problem
 */
export function notBuilt({ hostFirewall }: RegionSettings): readonly string[] {
  const refused = (path: string, found: string, allowed: string): string =>
    problemText(path, found, {
      allowed: `${allowed}, for now`,
      fix: "take it out: this version does not carry it out yet",
    });
  return hostFirewall.enabled ? [refused("hostFirewall.enabled", "true", "false")] : [];
}
