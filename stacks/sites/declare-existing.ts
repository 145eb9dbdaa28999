import { ExistingSite } from "../../components/existing/site.ts";
import type { MachineSpec } from "../../components/machine.ts";
import type { ExistingMachineSettings, ExistingSiteSettings } from "./existing-settings.ts";
import { targetOf } from "./jump.ts";
import { asMachine } from "./machine-settings.ts";
import { meshOf } from "./mesh-of.ts";
import type { DeclaredSite } from "./declared-site.ts";
import type { SiteContext } from "./site-context.ts";

/** What the component takes of a machine: who may connect to it is the firewall's. */
type Host = Pick<ExistingMachineSettings, "address" | "ssh"> & { readonly spec: MachineSpec };

/** Declares a site whose hosts stand already. */
export function declareExistingSite(site: ExistingSiteSettings, context: SiteContext): DeclaredSite {
  const { machines } = new ExistingSite(`${context.region}-${site.name}`, {
    region: context.region,
    hosts: site.machines
      .map((machine) => asMachine<Host>(machine))
      .map(({ spec, address, ssh }) => ({
        spec,
        address,
        ssh: targetOf(ssh, context),
        reach: JSON.stringify([address, ssh]),
      })),
    privateKey: context.login.privateKey,
    connectSeconds: context.connectSeconds,
    ...meshOf(site, context),
  });
  return { machines };
}
