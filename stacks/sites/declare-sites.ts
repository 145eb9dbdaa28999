import type * as pulumi from "@pulumi/pulumi";
import type { Machine } from "../../components/machine.ts";
import type { SiteSettings } from "../region-settings.ts";
import { declareExistingSite } from "./declare-existing.ts";
import { declareHetznerSite } from "./declare-hetzner.ts";
import { declareLightsailSite } from "./declare-lightsail.ts";
import { declareLimaSite } from "./declare-lima.ts";
import type { JumpSettings } from "./existing-settings.ts";
import type { DeclaredSite } from "./declared-site.ts";
import type { SiteContext } from "./site-context.ts";

const machineIn = (jump: JumpSettings | undefined): string[] =>
  jump !== undefined && "machine" in jump ? [jump.machine] : [];

/** Names of the machines that a site's own, or the host that runs them, are reached through. */
const jumpsOf = (site: SiteSettings): readonly string[] => [
  ...(site.provider === "lima" ? machineIn(site.host?.jump) : []),
  ...site.machines.flatMap((machine) => ("ssh" in machine ? machineIn(machine.ssh.jump) : [])),
];

/** By kind: how a site is declared. */
const DECLARE: {
  readonly [Kind in SiteSettings["provider"]]: (
    site: Extract<SiteSettings, { provider: Kind }>,
    context: SiteContext,
  ) => DeclaredSite;
} = {
  existing: declareExistingSite,
  hetzner: declareHetznerSite,
  lightsail: declareLightsailSite,
  lima: declareLimaSite,
};

// The kind picks the function: that the two belong together is beyond what the type of a table can say.
const declareSite = (site: SiteSettings, context: SiteContext): DeclaredSite =>
  DECLARE[site.provider](site as never, context);

/** What all sites yield together. */
export interface DeclaredSites {
  readonly machines: readonly Machine[];
  /** Public addresses of load balancers, by site. */
  readonly ingress: Readonly<Record<string, pulumi.Output<string>>>;
}

/** Declares all sites; a site whose hosts are reached through another site's machine comes after that site. */
export function declareSites(
  sites: readonly SiteSettings[],
  surroundings: Omit<SiteContext, "machine">,
): DeclaredSites {
  const machines: Machine[] = [];
  const ingress: Record<string, pulumi.Output<string>> = {};
  const machine = (name: string): Machine => {
    const found = machines.find(({ spec }) => spec.name === name);
    if (found === undefined)
      throw new Error(`no machine ${name} is declared before the one that is reached through it`);
    return found;
  };
  const context = { ...surroundings, machine };
  const direct = sites.filter((site) => jumpsOf(site).length === 0);
  const indirect = sites.filter((site) => !direct.includes(site));
  for (const site of [...direct, ...indirect]) {
    const declared = declareSite(site, context);
    machines.push(...declared.machines);
    if (declared.ingressAddress !== undefined) ingress[site.name] = declared.ingressAddress;
  }
  return { machines, ingress };
}
