import { CATALOGUE } from "../../components/platform/catalogue.ts";
import { ANY_SITE } from "../../components/platform/spot.ts";
import type { Deployed } from "../deployed.ts";
import { type LastingRecord, lastingOf, partKey, poolKey, reachOf } from "../lasting.ts";
import { releasePath } from "../planned-releases.ts";
import type { RegionSettings } from "../region-settings.ts";
import { problemText } from "../settings/problem.ts";
import { taintsOf } from "../topology.ts";
import { type Guardrail, machinesOf } from "./guardrail.ts";

/** One release before and after. */
interface Change {
  readonly name: string;
  readonly before: LastingRecord;
  readonly after: LastingRecord;
  readonly settings: RegionSettings;
  readonly nodes: Deployed["nodes"];
}

const distinct = (values: readonly string[]): string[] => [...new Set(values)];
const pool = ({ site, pool: name }: { readonly site: string; readonly pool: string }): string =>
  poolKey({ site, name });

/**
 * The pools, as they were, of machines that a workload's volumes may be on and that it no longer reaches; undefined where
 * it reaches all that are left. Machines that go on their own are the business of those who take them away.
 */
function leftBehind(
  { nodes, settings }: Change,
  before: readonly string[],
  reach: ReadonlySet<string>,
): readonly string[] | undefined {
  const machines = new Map(machinesOf(settings).map((machine) => [machine.name, machine]));
  const held = nodes.filter((node) => before.includes(pool(node)));
  const left = held.flatMap((node) => {
    const machine = machines.get(node.name);
    if (machine === undefined) return [];
    const part = partKey({ site: machine.site, name: machine.pool, taints: taintsOf(machine) });
    return [{ node, reached: reach.has(part) }];
  });
  if (left.length === 0) return held.length === 0 ? undefined : [];
  const behind = left.filter(({ reached }) => !reached);
  return behind.length === 0 ? undefined : distinct(behind.map(({ node }) => pool(node)));
}

const siteIn = (key: string): string => key.split("/")[0] ?? "";

/** How a release stays where its volumes are. */
function staying(
  change: Change,
  before: readonly string[],
  after: readonly string[],
  behind: readonly string[],
): string {
  const path = releasePath(change.name);
  if (behind.length === 0) return `leave a machine of ${before.join(", ")} in the region`;
  const sites = distinct(before.map(siteIn));
  // Where no machine lets it in any more, a place says nothing.
  const open = machinesOf(change.settings).some(
    (machine) => sites.includes(machine.site) && taintsOf(machine).length === 0,
  );
  const away = open && !behind.some((key) => after.some((other) => siteIn(other) === siteIn(key)));
  // Where it stays in the site, what keeps it off a pool is another setting.
  return away
    ? `write ${path}.place: { site: ${sites.length === 1 ? (sites[0] ?? "") : ANY_SITE} } to keep it there`
    : `let it run on ${behind.join(", ")} as before: by ${path}.place, or by the pool's taints and intermittent`;
}

function moves(change: Change): string[] {
  const { name, before, after } = change;
  const path = releasePath(name);
  const saving = CATALOGUE.find((definition) => definition.name === name)?.saving ?? "back up its data";
  const reach = reachOf(change.settings, name);
  const found = Object.entries(before.volumes).flatMap(([workload, pools]) => {
    const now = after.volumes[workload];
    const behind = now === undefined ? undefined : leftBehind(change, pools, reach.get(workload) ?? new Set());
    return now === undefined || behind === undefined ? [] : [{ workload, pools, now, behind }];
  });
  // Parts of a release that go the same way are one finding.
  const ways = Map.groupBy(found, ({ pools, now, behind }) => JSON.stringify([pools, now, behind]));
  return [...ways.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const { pools, now, behind } = first;
    const who = same.map(({ workload }) => workload).join(", ");
    const where = behind.length === 0 ? `${pools.join(", ")}, of which no machine is left` : behind.join(", ");
    return [
      problemText(`${path}.place`, `${who} on ${now.join(", ")}, with volumes on ${where}`, {
        allowed: "a place with all machines that its volumes may be on: they do not follow, and its pods wait for them",
        fix: `${staying(change, pools, now, behind)}; to move it, ${saving}, leave ${path} out for one update, delete its PersistentVolumeClaims, and bring the data back in the new place`,
      }),
    ];
  });
}

function keeping(change: Change, setting: string, site: string | undefined, value: number): string {
  const { name, settings, after } = change;
  const path = `${releasePath(name)}.${setting}`;
  const stated = (settings.platform[name] as unknown as Record<string, unknown>)[setting] !== undefined;
  const machines = value === 1 ? "1 machine" : `${value} machines`;
  if (site !== undefined) {
    return `let it have ${machines} in ${site}${stated ? ` and remove ${path}` : ""}`;
  }
  const fewer = !stated && (after.facts[setting] ?? 0) < value;
  return `write ${path}: ${value}${fewer ? `, and leave it ${machines},` : ""} to keep what runs`;
}

function numbers(change: Change): string[] {
  const { name, before, after } = change;
  const lasting = CATALOGUE.find((definition) => definition.name === name)?.lasting;
  return Object.entries(before.facts).flatMap(([fact, value]) => {
    const now = after.facts[fact];
    const reshaping = now === value ? undefined : lasting?.reshaping(fact, value, now);
    if (reshaping === undefined) return [];
    const [setting = fact, site] = fact.split(".");
    const where = site === undefined ? "" : ` in ${site}`;
    return [
      problemText(`${releasePath(name)}.${setting}`, `${now ?? "none"}${where}`, {
        allowed: `${value}, as deployed: ${reshaping.why}`,
        fix: `${keeping(change, setting, site, value)}; or ${reshaping.how}`,
      }),
    ];
  });
}

/** What a release's data hangs on is another than what runs: by a setting, or as the region has no room for it any more. */
export const releaseReshaped: Guardrail = {
  id: "release-reshaped",
  reason: "data hangs on where a release runs and on how many it is: changed under it, it starts empty or not at all",
  severity: "ask",
  check: (settings, deployed) => {
    const wanted = lastingOf(settings);
    return Object.entries(deployed?.lasting ?? {}).flatMap(([name, before]) => {
      const after = wanted[name];
      // A release that the settings leave out is taken away on purpose.
      if (settings.platform[name] === undefined) return [];
      const change = {
        name,
        before,
        after: after ?? { volumes: {}, facts: {} },
        settings,
        nodes: deployed?.nodes ?? [],
      };
      return [...moves(change), ...numbers(change)];
    });
  },
};
