import { cniVariantOf } from "../components/k3s/cni-variant.ts";
import type { Pair } from "../components/mesh/compatibility.ts";
import { DEFAULT_LAN_MTU } from "../components/network/mtu.ts";
import type { RegionSettings, SiteSettings } from "./region-settings.ts";
import { present } from "../components/present.ts";

/** MTU of a site's LAN. https://docs.hetzner.com/networking/networks/faq */
const lanMtuOf = ({ provider }: SiteSettings): number => (provider === "hetzner" ? 1450 : DEFAULT_LAN_MTU);

/** A region's pod network and mesh, as far as each has to do with the other. */
export const pairOf = ({ kubernetes, mesh, sites }: RegionSettings): Pair =>
  present({
    cni: cniVariantOf(kubernetes),
    mesh: mesh.provider,
    meshPort: mesh.provider === "none" ? undefined : mesh.port,
    ciliumVersion: kubernetes.cilium?.version,
    lanMtu: Math.min(...sites.map(lanMtuOf)),
    meshAddresses: sites.some(({ nodeAddresses }) => nodeAddresses === "mesh"),
  });
