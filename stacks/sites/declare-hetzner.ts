import { HetznerSite, type HetznerMachine } from "../../components/hetzner/site.ts";
import { present } from "../../components/present.ts";
import type { HetznerSiteSettings } from "./hetzner-settings.ts";
import { asMachine } from "./machine-settings.ts";
import { meshOf } from "./mesh-of.ts";
import type { DeclaredSite } from "./declared-site.ts";
import type { SiteContext } from "./site-context.ts";

/** Declares a site of Hetzner Cloud servers. */
export function declareHetznerSite(site: HetznerSiteSettings, context: SiteContext): DeclaredSite {
  const { name, networkZone, lan, accessFrom, tags, token, apiEndpoint, loadBalancer } = site;
  const { machines, ingressAddress } = new HetznerSite(
    `${context.region}-${name}`,
    present({
      region: context.region,
      site: name,
      lan,
      networkZone,
      accessFrom,
      tags,
      login: context.login,
      connectSeconds: context.connectSeconds,
      token,
      apiEndpoint,
      loadBalancer,
      placementGroups: context.placementGroups,
      ...meshOf(site, context),
      machines: site.machines.map((machine) => asMachine<HetznerMachine>(machine)),
    }),
  );
  return present({ machines, ingressAddress });
}
