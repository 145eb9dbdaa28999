import { byName } from "../../components/network/names.ts";
import type { SiteSettings } from "../region-settings.ts";
import { normaliseExistingSite } from "./kinds/existing.ts";
import { normaliseHetznerSite } from "./kinds/hetzner.ts";
import { normaliseLightsailSite } from "./kinds/lightsail.ts";
import { normaliseLimaSite } from "./kinds/lima.ts";
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
  hetzner: normaliseHetznerSite,
  lightsail: normaliseLightsailSite,
  lima: normaliseLimaSite,
};

// The kind picks the function: that the two belong together is beyond what the type of a table can say.
const normalise = (name: string, site: ParsedSite): SiteSettings => NORMALISE[site.provider](name, site as never);

/** The sites and their machines, each sorted by name: the order in the file means nothing. */
export const normaliseSites = (sites: ParsedSettings["sites"]): readonly SiteSettings[] =>
  Object.entries(sites)
    .map(([name, site]) => normalise(name, site))
    .sort((one, other) => byName(one.name, other.name));
