import { cniVariantOf, type CniVariant } from "../../components/k3s/cni-variant.ts";
import { compatibility } from "../../components/mesh/compatibility.ts";
import type { MeshSettings } from "../../components/mesh/mesh-settings.ts";
import type { Deployed } from "../../stacks/deployed.ts";
import { pairOf } from "../../stacks/mesh-pair.ts";
import type { RegionSettings } from "../../stacks/region-settings.ts";
import type { Expectations, ExpectedMesh, ExpectedSite } from "./evidence.ts";

const TUNNELS: Readonly<Partial<Record<string, Expectations["tunnel"]>>> = {
  "flannel-vxlan": "flannel.1",
  "flannel-wireguard": "flannel-wg",
};

/** What marks the region's devices, where the settings are about the mesh that runs. */
function tagOf(settings: MeshSettings, runs: string): string | undefined {
  if (settings.provider !== runs || settings.provider === "none") return undefined;
  return settings.provider === "tailscale" ? settings.tag : settings.group;
}

function sitesOf({ sites }: RegionSettings, { nodes, sites: recorded }: Deployed): Record<string, ExpectedSite> {
  // A site without a node that runs is not there yet: nobody has a rule or a route for it.
  const inUse = (name: string): boolean => nodes.some(({ site }) => site === name);
  if (recorded !== undefined) return Object.fromEntries(Object.entries(recorded).filter(([name]) => inUse(name)));
  // The record of an earlier version does not say; the settings are the nearest that there is.
  return Object.fromEntries(
    sites.filter(({ name }) => inUse(name)).map(({ name, lan, nodeAddresses }) => [name, { lan, nodeAddresses }]),
  );
}

/** Machines that only one side has, and those of another life. */
function nodeDifferences({ sites }: RegionSettings, { nodes }: Deployed): string[] {
  const key = (site: string, name: string): string => `${site}/${name}`;
  const wanted = new Map(
    sites.flatMap(({ name: site, machines }) => machines.map((machine) => [key(site, machine.name), machine] as const)),
  );
  const running = new Set(nodes.map(({ site, name }) => key(site, name)));
  const gone = nodes.filter(({ site, name }) => !wanted.has(key(site, name))).map(({ name }) => name);
  const missing = [...wanted].filter(([path]) => !running.has(path)).map(([, { name }]) => name);
  const anew = nodes
    .filter(({ site, name, generation }) => (wanted.get(key(site, name))?.generation ?? generation) !== generation)
    .map(({ name }) => name);
  return [
    ...(gone.length === 0 ? [] : [`nodes that run and are not in the settings: ${gone.join(", ")}`]),
    ...(missing.length === 0 ? [] : [`machines of the settings that do not run yet: ${missing.join(", ")}`]),
    ...(anew.length === 0 ? [] : [`machines of another generation than the one that runs: ${anew.join(", ")}`]),
  ];
}

function differencesOf(settings: RegionSettings, deployed: Deployed): string[] {
  const differs = (what: string, wanted: string, runs: string): string[] =>
    wanted === runs ? [] : [`${what}: the settings say ${wanted}, the region runs ${runs}`];
  const places = settings.sites.flatMap(({ name, lan, nodeAddresses }) => {
    const recorded = deployed.sites?.[name];
    if (recorded === undefined) return [];
    return [
      ...differs(`the LAN of ${name}`, lan, recorded.lan),
      ...differs(`nodeAddresses of ${name}`, nodeAddresses, recorded.nodeAddresses),
    ];
  });
  return [
    ...differs("the mesh", settings.mesh.provider, deployed.mesh),
    ...differs("the pod network", cniVariantOf(settings.kubernetes), deployed.cni),
    ...differs("k3s", settings.kubernetes.version, deployed.versions.kubernetes),
    ...places,
    ...nodeDifferences(settings, deployed),
  ];
}

/**
 * What must be found on the hosts of a region.
 * @param deployed what the last update left: what runs is judged by what was made, and not by settings of tomorrow
 */
export function expectationsOf(settings: RegionSettings, deployed: Deployed): Expectations {
  const provider = deployed.mesh as MeshSettings["provider"];
  const pair = { ...pairOf(settings), mesh: provider, cni: deployed.cni as CniVariant };
  const { mtus, meshInterface, siteRule } = compatibility(pair).settings;
  const tag = tagOf(settings.mesh, provider);
  const mesh: ExpectedMesh | undefined =
    provider === "none" || meshInterface === undefined
      ? undefined
      : { provider, interface: meshInterface, siteRule, ...(tag === undefined ? {} : { tag }) };
  const tunnel = TUNNELS[deployed.cni];
  return {
    region: deployed.region,
    nodes: deployed.nodes.map(({ name, role, site, address }) => ({ name, role, site, address })),
    sites: sitesOf(settings, deployed),
    ...(mesh === undefined ? {} : { mesh }),
    mtus,
    ...(tunnel === undefined ? {} : { tunnel }),
    differences: differencesOf(settings, deployed),
  };
}
