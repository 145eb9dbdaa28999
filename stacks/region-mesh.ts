import type { LoginKey } from "../components/bootstrap/login-key.ts";
import type { MeshCredentials } from "../components/mesh/mesh-settings.ts";
import type { Mesh } from "../components/mesh/mesh.ts";
import type { MachineSpec } from "../components/machine.ts";
import { MESH_INTERFACES } from "../components/mesh/interfaces.ts";
import { NetbirdMesh } from "../components/mesh/netbird.ts";
import { TailscaleMesh } from "../components/mesh/tailscale.ts";
import { machinesOf } from "./guardrails/guardrail.ts";
import { hostRules } from "./host-rules.ts";
import type { RegionSettings } from "./region-settings.ts";

/** Declares the mesh of a region. @returns undefined where the region has none */
export function regionMesh(
  settings: RegionSettings,
  login: Pick<LoginKey, "privateKey" | "previous">,
  credentials: MeshCredentials,
): Mesh | undefined {
  const { region, mesh, kubernetes } = settings;
  if (mesh.provider === "none") return undefined;
  const name = `${region}-mesh`;
  const own = { interface: MESH_INTERFACES[mesh.provider], port: mesh.port };
  const same = {
    region,
    credentials,
    login,
    connectSeconds: kubernetes.connectSeconds,
    firstRules: (spec: MachineSpec) => hostRules({ settings, mesh: own }, spec),
    sites: settings.sites.map((site) => ({ name: site.name, lan: site.lan, carriesLan: site.nodeAddresses === "lan" })),
  };
  if (mesh.provider === "netbird") return new NetbirdMesh(name, { ...same, settings: mesh });
  const relay = machinesOf(settings).some((machine) => machine.relay === true);
  return new TailscaleMesh(name, { ...same, settings: mesh, relay });
}
