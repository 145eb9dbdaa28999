import { ExistingSite } from "../../components/existing/site.ts";
import type { Machine } from "../../components/machine.ts";
import type { ExistingSiteSettings } from "./existing-settings.ts";
import { targetOf } from "./jump.ts";
import { meshOf } from "./mesh-of.ts";
import type { SiteContext } from "./site-context.ts";

/** Declares a site whose hosts stand already. */
export function declareExistingSite(site: ExistingSiteSettings, context: SiteContext): readonly Machine[] {
  const { machines } = new ExistingSite(`${context.region}-${site.name}`, {
    region: context.region,
    hosts: site.machines.map(({ address, ssh, ...spec }) => ({
      spec,
      address,
      ssh: targetOf(ssh, context),
      reach: JSON.stringify([address, ssh]),
    })),
    privateKey: context.login.privateKey,
    connectSeconds: context.connectSeconds,
    ...meshOf(site, context),
  });
  return machines;
}
