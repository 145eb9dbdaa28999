import { byName } from "../../components/network/names.ts";
import type { SiteSettings } from "../region-settings.ts";
import { normaliseExistingSite } from "./kinds/existing.ts";
import type { ParsedSettings } from "./schema.ts";

type ParsedSite = ParsedSettings["sites"][string];

/** By kind: how a site as written becomes one with all defaults. */
const NORMALISE: {
  readonly [Kind in ParsedSite["provider"]]: (
    name: string,
    site: Extract<ParsedSite, { provider: Kind }>,
  ) => SiteSettings;
} = {
  existing: normaliseExistingSite,
};

/** The sites and their machines, each sorted by name: the order in the file means nothing. */
export const normaliseSites = (sites: ParsedSettings["sites"]): readonly SiteSettings[] =>
  Object.entries(sites)
    .map(([name, site]) => NORMALISE[site.provider](name, site))
    .sort((one, other) => byName(one.name, other.name));
