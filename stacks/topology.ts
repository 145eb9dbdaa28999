import { bundleOf } from "../components/lightsail/catalog.ts";
import { serverTypeOf } from "../components/hetzner/catalog.ts";
import { byName } from "../components/network/names.ts";
import { clusterDns } from "../components/network/cluster-dns.ts";
import type { Topology, TopologyPool, TopologySite, TopologyTaint } from "../components/platform/topology.ts";
import { hiddenSenders } from "./hidden-senders.ts";
import { ownedNamespaces } from "./owned-namespaces.ts";
import type { MachineSettings, PlatformSettings, RegionSettings, SiteSettings } from "./region-settings.ts";

/** CPUs and memory of a machine; undefined where nobody knows them. */
function sizeOf(machine: MachineSettings): TopologyPool["sizes"][number] | undefined {
  if ("bundle" in machine) return bundleOf(machine.bundle);
  if ("type" in machine) return serverTypeOf(machine.type);
  if ("memoryGiB" in machine) return machine;
  return "size" in machine ? machine.size : undefined;
}

/** What keeps pods off a machine, in order; one that only asks them to go elsewhere first does not. */
export const taintsOf = ({ taints }: MachineSettings): readonly TopologyTaint[] =>
  taints
    .flatMap(({ key, value, effect }) => (effect === "PreferNoSchedule" ? [] : [{ key, value, effect }]))
    .sort((one, other) => byName(JSON.stringify(one), JSON.stringify(other)));

/** A pool's machines, those together that let in the same pods and the same requests. */
const partsOf = (machines: readonly MachineSettings[]): readonly (readonly MachineSettings[])[] => [
  ...Map.groupBy(machines, (machine) => JSON.stringify([taintsOf(machine), machine.ingress])).values(),
];

function poolOf(machines: readonly MachineSettings[]): TopologyPool | undefined {
  const [first] = machines;
  if (first === undefined) return undefined;
  const sizes = machines.flatMap((machine) => sizeOf(machine) ?? []);
  return {
    site: first.site,
    name: first.pool,
    role: first.role,
    nodes: machines.length,
    sizes: sizes.map(({ cpus, memoryGiB }) => ({ cpus, memoryGiB })),
    ingress: first.ingress,
    intermittent: first.intermittent ?? false,
    taints: taintsOf(first),
  };
}

/** What cert-manager's settings let its issuer prove by DNS; undefined where they ask for no issuer. */
function dnsProvenIn({ "cert-manager": certManager }: PlatformSettings): Topology["dnsProven"] {
  const { issuer } = (certManager ?? {}) as {
    readonly issuer?: { readonly cloudflareToken?: string; readonly zones: readonly string[] };
  };
  if (issuer === undefined) return undefined;
  if (issuer.cloudflareToken === undefined) return [];
  return issuer.zones.length === 0 ? "all" : issuer.zones;
}

function siteOf(site: SiteSettings): TopologySite {
  const { name, provider } = site;
  if (provider !== "hetzner") return { name, kind: provider };
  return { name, kind: provider, locations: [...new Set(site.machines.flatMap(({ locations }) => locations))] };
}

/** What k3s is told to leave out: a list, or names with commas between them. https://docs.k3s.io/cli/server */
function disabledIn(config: Readonly<Record<string, unknown>>): string[] {
  const values = [config["disable"], config["disable+"]].flat();
  return values.flatMap((value) => (typeof value === "string" ? value.split(",") : [])).map((name) => name.trim());
}

/** Whether Traefik's settings ask for a log of all requests; undefined where there are none. */
function accessLogIn({ traefik }: PlatformSettings): boolean | undefined {
  const { accessLog } = (traefik ?? {}) as { readonly accessLog?: unknown };
  return typeof accessLog === "boolean" ? accessLog : undefined;
}

/** What releases may know of a region. */
export function topologyOf(settings: RegionSettings): Topology {
  const { region, plan, kubernetes, mesh, platform, sites } = settings;
  const pools = sites.flatMap((site) => {
    const machines: readonly MachineSettings[] = site.machines;
    const names = [...new Set(machines.map(({ pool }) => pool))].sort(byName);
    return names.flatMap((name) =>
      partsOf(machines.filter(({ pool }) => pool === name)).flatMap((part) => poolOf(part) ?? []),
    );
  });
  const addressPool = (kubernetes.cilium?.loadBalancerPool ?? []).length > 0;
  const disabled = disabledIn(kubernetes.config);
  return {
    region,
    sites: sites.map(siteOf),
    pools,
    mesh: mesh.provider,
    cni: kubernetes.cni,
    kubeProxyReplacement: kubernetes.cilium?.kubeProxyReplacement ?? false,
    addressPool,
    accessLog: accessLogIn(platform),
    dnsProven: dnsProvenIn(platform),
    hiddenSenders: hiddenSenders(settings, { addressPool, disabled }),
    disabled,
    pods: plan.pods,
    services: plan.services,
    clusterDns: clusterDns(plan.services),
    ownedNamespaces: ownedNamespaces(settings),
  };
}
