import { LightsailSite, type LightsailMachine } from "../../components/lightsail/site.ts";
import type { LightsailSiteSettings } from "./lightsail-settings.ts";
import { asMachine } from "./machine-settings.ts";
import { meshOf } from "./mesh-of.ts";
import type { DeclaredSite } from "./declared-site.ts";
import type { SiteContext } from "./site-context.ts";

/** Declares a site of Lightsail instances. */
export function declareLightsailSite(site: LightsailSiteSettings, context: SiteContext): DeclaredSite {
  const { machines } = new LightsailSite(`${context.region}-${site.name}`, {
    region: context.region,
    awsRegion: site.awsRegion,
    accessFrom: site.accessFrom,
    tags: site.tags,
    login: context.login,
    connectSeconds: context.connectSeconds,
    ...meshOf(site, context),
    machines: site.machines.map((machine) => asMachine<LightsailMachine>(machine)),
  });
  return { machines };
}
