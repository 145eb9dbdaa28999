import type { MeshLab } from "./mesh.ts";
import { MESH_PLAN } from "./mesh.ts";
import { CLIENT_VERSIONS } from "./mesh-tools.ts";
import { MIRROR_URL } from "./mirror.ts";
import { REAL_K3S_CONFIG } from "./region-settings.ts";

const PLACES = [
  ["tokyo", "server"],
  ["home", "agent"],
] as const;

/** Where this computer comes from, as the hosts of a site see it: their bridge's own address. */
const stationOn = (lan: string): string => lan.replace(/\.0\/24$/, ".1/32");

/** The settings of a region over two sites that nothing but a tailnet joins, by full name. */
export function meshRegionSettings({ lab, headscale, packages }: MeshLab, version: string): Record<string, unknown> {
  const site = (name: "tokyo" | "home", role: string) => {
    const { lan } = MESH_PLAN.sites[name];
    const machines = lab.hosts
      .filter((host) => host.site === name)
      .map(({ name: machine, address, hostKey }) => [machine, { address, hostKey }] as const);
    const pools = { nodes: { role, machines: Object.fromEntries(machines) } };
    return [name, { provider: "existing", lan, access: { from: [stationOn(lan)] }, pools }] as const;
  };
  return {
    "hybrid-k3s:region": "workstation",
    "hybrid-k3s:kubernetes": {
      version,
      mirror: MIRROR_URL,
      config: REAL_K3S_CONFIG,
      connectTimeout: "60s",
      drainTimeout: "60s",
    },
    "hybrid-k3s:mesh": {
      provider: "tailscale",
      headscale: { url: headscale.url },
      operators: ["group:ops"],
      packages,
      version: CLIENT_VERSIONS.first,
    },
    "hybrid-k3s:sites": Object.fromEntries(PLACES.map(([name, role]) => site(name, role))),
    "hybrid-k3s:accept": { "even-servers": "a lab" },
  };
}
