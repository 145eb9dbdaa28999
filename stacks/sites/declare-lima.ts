import { LimaSite, type LimaMachine } from "../../components/lima/site.ts";
import { targetOf } from "./jump.ts";
import type { LimaSiteSettings } from "./lima-settings.ts";
import { asMachine } from "./machine-settings.ts";
import { meshOf } from "./mesh-of.ts";
import type { DeclaredSite } from "./declared-site.ts";
import type { SiteContext } from "./site-context.ts";

/** Declares a site of Lima VMs. */
export function declareLimaSite(site: LimaSiteSettings, context: SiteContext): DeclaredSite {
  const { machines } = new LimaSite(`${context.region}-${site.name}`, {
    region: context.region,
    ...(site.host === undefined ? {} : { host: targetOf(site.host, context) }),
    hostSystem: site.hostSystem,
    network: site.network,
    autostart: site.autostart,
    machines: site.machines.map((machine) => asMachine<LimaMachine>(machine)),
    login: context.login,
    connectSeconds: context.connectSeconds,
    drainSeconds: context.drainSeconds,
    contacts: context.contacts,
    shapes: context.shapes,
    ...meshOf(site, context),
  });
  return { machines };
}
