import { cidrContains, isIpv4Address } from "../../components/network/cidr.ts";
import { lansOf } from "../lans.ts";
import type { RegionSettings, SiteSettings } from "../region-settings.ts";
import { formatPath, problemText } from "../settings/problem.ts";
import { type Rule } from "../../components/strict-schema.ts";
import type { ExistingMachineSettings, ExistingSiteSettings } from "../sites/existing-settings.ts";
import type { Guardrail } from "./guardrail.ts";

const liesIn = (host: string, ranges: readonly string[]): boolean =>
  isIpv4Address(host) && ranges.some((range) => cidrContains(range, `${host}/32`));
/**
 * Whether SSH comes from a LAN, as far as the settings tell: other names say nothing of an address. A name in the mesh is no
 * way in: a host that joins over SSH cannot be in the mesh before.
 */
function comesFromInside({ ssh }: ExistingMachineSettings, lans: readonly string[]): boolean {
  const { host, jump } = ssh;
  if (jump === undefined) return false;
  // A machine of another site reaches a private address from its own LAN, or through the mesh.
  return liesIn("machine" in jump ? host : jump.host, lans);
}

/** Hosts that stand already have no firewall but their own between them and this computer. */
function ofHosts(settings: RegionSettings, site: ExistingSiteSettings): (Rule & { readonly found: string })[] {
  if (!settings.hostFirewall.enabled) return [];
  const lans = lansOf(settings, site);
  const names = site.machines.filter((machine) => !comesFromInside(machine, lans)).map(({ name }) => name);
  if (names.length === 0) return [];
  return [
    {
      found: `nothing, with hostFirewall.enabled, and no word of where SSH to ${names.join(", ")} comes from`,
      allowed: "the ranges that it comes from, as the hosts see it",
      fix: `write the address at which the hosts see this computer, or the jump host; where it is on their LAN: access: { from: ["${site.lan}"] }`,
    },
  ];
}

/** A cloud's firewall lets nobody in; in a mesh, machines join by themselves and are reached there. */
function ofClouds({ mesh }: RegionSettings): (Rule & { readonly found: string })[] {
  if (mesh.provider !== "none") return [];
  return [
    {
      found: "nothing",
      allowed: "the ranges that SSH and the API are reached from, while mesh.provider is none",
      fix: 'write the address of this computer as the internet sees it: access: { from: ["198.51.100.7/32"] }',
    },
  ];
}

function problemsOf(settings: RegionSettings, site: SiteSettings): (Rule & { readonly found: string })[] {
  if (site.accessFrom.length > 0) return [];
  switch (site.provider) {
    case "existing":
      return ofHosts(settings, site);
    case "hetzner":
    case "lightsail":
      return ofClouds(settings);
    case "lima":
      // The VMs' host always reaches them, and whoever comes through it.
      return [];
  }
}

/** Where the way in is a firewall's of ours, the settings say who comes, or it is the mesh. */
export const noWayIn: Guardrail = {
  id: "no-way-in",
  reason: "a machine's firewall lets in nobody that the settings do not name: not this computer either",
  severity: "refuse",
  check: (settings) =>
    settings.sites.flatMap((site) =>
      problemsOf(settings, site).map(({ found, ...rule }) =>
        problemText(`${formatPath(["sites", site.name])}.access`, found, rule),
      ),
    ),
};
