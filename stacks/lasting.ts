import { CATALOGUE } from "../components/platform/catalogue.ts";
import { type Kept, keepsData } from "../components/platform/lasting.ts";
import type { TopologyPool } from "../components/platform/topology.ts";
import { present } from "../components/present.ts";
import type { Deployed } from "./deployed.ts";
import type { RegionSettings } from "./region-settings.ts";
import { topologyOf } from "./topology.ts";

/** What is recorded of one release. */
export type LastingRecord = NonNullable<Deployed["lasting"]>[string];

/** How a pool stands in the record. */
export const poolKey = ({ site, name }: Pick<TopologyPool, "site" | "name">): string => `${site}/${name}`;

/** Machines of a pool that let in the same pods. */
export const partKey = (part: Pick<TopologyPool, "site" | "name" | "taints">): string =>
  `${poolKey(part)} ${JSON.stringify(part.taints)}`;

/** Where the workloads of a release may run now, as {@link partKey}, by the workload's name. */
export function reachOf(settings: RegionSettings, release: string): ReadonlyMap<string, ReadonlySet<string>> {
  const definition = CATALOGUE.find(({ name }) => name === release);
  const own = settings.platform[release];
  if (definition === undefined || own === undefined) return new Map();
  return new Map(
    definition
      .workloads(topologyOf(settings), own as never)
      .map(({ name, spot }) => [name, new Set(spot.pools.map(partKey))]),
  );
}

/** What the data of a region's releases hangs on, by release; those that keep none are left out. */
export function lastingOf(settings: RegionSettings): Readonly<Record<string, LastingRecord>> {
  const topology = topologyOf(settings);
  const records = CATALOGUE.flatMap((definition): [string, LastingRecord][] => {
    const own = settings.platform[definition.name];
    if (own === undefined) return [];
    const given = [topology, own as never] as const;
    const volumes = definition
      .workloads(...given)
      .filter(keepsData)
      .map(({ name, spot }): [string, string[]] => [name, [...new Set(spot.pools.map(poolKey))]]);
    const facts = { ...definition.lasting?.facts(...given) };
    if (volumes.length === 0 && Object.keys(facts).length === 0) return [];
    return [[definition.name, { volumes: Object.fromEntries(volumes), facts }]];
  });
  return Object.fromEntries(records);
}

function keptOf({ volumes, facts }: LastingRecord): Kept {
  const sites = new Set(Object.values(volumes).flatMap((pools) => pools.map((pool) => pool.split("/")[0])));
  return present({ site: sites.size === 1 ? [...sites][0] : undefined, facts });
}

/**
 * The settings with what runs beside them: where they leave open what a release's data hangs on, it stays as the last
 * update made it, whatever the region has become since.
 */
export function keepingWhatRuns(settings: RegionSettings, deployed: Deployed | undefined): RegionSettings {
  const records = deployed?.lasting ?? {};
  const platform = Object.fromEntries(
    Object.entries(settings.platform).map(([name, own]) => {
      const record = records[name];
      return [name, record === undefined ? own : { ...own, place: { ...own.place, kept: keptOf(record) } }];
    }),
  );
  return { ...settings, platform };
}
