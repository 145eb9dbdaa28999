import { sumCosts, type MonthlyCost } from "../components/costs.ts";
import { monthlyCost as hetznerCost } from "../components/hetzner/cost.ts";
import { monthlyCost as lightsailCost } from "../components/lightsail/cost.ts";
import type { RegionSettings, SiteSettings } from "./region-settings.ts";

/** What one machine costs a month. */
export interface MachineCost {
  readonly name: string;
  readonly site: string;
  readonly cost: MonthlyCost;
}

/** By kind: hosts that are the user's own cost nothing here. */
function costsOf(site: SiteSettings): readonly MachineCost[] {
  const { name } = site;
  switch (site.provider) {
    case "hetzner":
      return site.machines.map((machine) => ({ name: machine.name, site: name, cost: hetznerCost(machine) }));
    case "lightsail":
      return site.machines.map((machine) => ({ name: machine.name, site: name, cost: lightsailCost(machine) }));
    case "existing":
    case "lima":
      return [];
  }
}

/** What each machine costs a month by its cloud's catalogue, before taxes, traffic and snapshots. */
export const machineCosts = (settings: RegionSettings): readonly MachineCost[] => settings.sites.flatMap(costsOf);

/** What a region costs a month, by currency. */
export const regionCosts = (settings: RegionSettings): Readonly<Record<string, number>> =>
  sumCosts(machineCosts(settings).map(({ cost }) => cost));
