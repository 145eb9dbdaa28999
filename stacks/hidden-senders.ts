import type { HiddenSenders, Topology } from "../components/platform/topology.ts";
import { ANY_SITE, type Place } from "../components/platform/spot.ts";
import type { MachineSettings, RegionSettings, SiteSettings } from "./region-settings.ts";

type Behind = HiddenSenders["behind"];

/** What decides of Traefik's settings. */
interface Traefik {
  readonly place: Place;
  readonly addresses: readonly string[];
}

/** What the topology says already, and what of it decides here. */
type Known = Pick<Topology, "addressPool" | "disabled">;

/** Whether requests arrive at another address than the node's own, its `node-ip`. */
function arrivesElsewhere(site: SiteSettings, machine: MachineSettings): boolean {
  // Lightsail puts the private address in the place of the public one; Hetzner's public address is on the server itself.
  if (site.provider === "hetzner" && "publicIpv4" in machine && machine.publicIpv4) return true;
  return site.nodeAddresses === "mesh";
}

function behind(site: SiteSettings, machine: MachineSettings, { addressPool, disabled }: Known): Behind | undefined {
  if (!machine.ingress) return undefined;
  if (site.provider === "hetzner" && site.loadBalancer !== undefined)
    return site.loadBalancer.proxyProtocol ? undefined : "load-balancer";
  if (addressPool || disabled.includes("servicelb")) return undefined;
  return arrivesElsewhere(site, machine) ? "service-lb" : undefined;
}

/** Whether Traefik runs on a machine, as far as a wish for its place goes. */
const isAt = ({ site, pool }: Place, machine: MachineSettings): boolean =>
  (site === undefined || site === ANY_SITE || site === machine.site) && (pool === undefined || pool === machine.pool);

/**
 * Pools whose requests reach Traefik with another sender than the one who sent them, as far as settings tell: nobody knows
 * which addresses a host has that stood before.
 */
export function hiddenSenders(settings: RegionSettings, known: Known): readonly HiddenSenders[] {
  const traefik = settings.platform["traefik"] as Traefik | undefined;
  const machines = settings.sites.flatMap((site) =>
    (site.machines as readonly MachineSettings[]).flatMap((machine) => {
      const by = isAt(traefik?.place ?? {}, machine) ? behind(site, machine, known) : undefined;
      return by === undefined ? [] : [{ pool: `${machine.site}/${machine.pool}`, behind: by }];
    }),
  );
  const elsewhere = machines.filter((machine) => machine.behind === "service-lb");
  const told = (traefik?.addresses.length ?? 0) >= elsewhere.length;
  const hidden = machines.filter((machine) => machine.behind !== "service-lb" || !told);
  return [...new Map(hidden.map((machine) => [machine.pool, machine])).values()];
}
