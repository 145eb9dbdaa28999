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

function sitesOf({ sites }: RegionSettings, { nodes }: Deployed): Record<string, ExpectedSite> {
  // A site without a node that runs is not there yet: nobody has a rule or a route for it.
  const inUse = sites.filter(({ name }) => nodes.some(({ site }) => site === name));
  return Object.fromEntries(inUse.map(({ name, lan, nodeAddresses }) => [name, { lan, nodeAddresses }]));
}

function differencesOf(settings: RegionSettings, deployed: Deployed): string[] {
  const cni = cniVariantOf(settings.kubernetes);
  const known = new Set(
    settings.sites.flatMap(({ name, machines }) => machines.map((machine) => `${name}/${machine.name}`)),
  );
  const gone = deployed.nodes.filter(({ site, name }) => !known.has(`${site}/${name}`)).map(({ name }) => name);
  return [
    ...(settings.mesh.provider === deployed.mesh
      ? []
      : [`the mesh: the settings say ${settings.mesh.provider}, the region runs with ${deployed.mesh}`]),
    ...(cni === deployed.cni ? [] : [`the pod network: the settings say ${cni}, the region runs ${deployed.cni}`]),
    ...(gone.length === 0 ? [] : [`nodes that run and are not in the settings: ${gone.join(", ")}`]),
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
