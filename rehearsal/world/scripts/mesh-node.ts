import { DURATIONS } from "../durations.ts";
import type { HostMesh } from "../host.ts";
import type { MeshClient } from "../mesh-networks.ts";
import { ScriptFailure, type ScriptRun } from "../script-run.ts";

const TITLE = { tailscale: "Tailscale", netbird: "NetBird" } as const;

/**
 * What components/mesh/scripts/tailscale-node.sh and netbird-node.sh do to a host. Packets are not simulated: what the
 * script writes into the host's own configuration is not either.
 */
export const meshNode =
  (client: MeshClient) =>
  async (run: ScriptRun): Promise<void> => {
    for (const name of ["NODE_NAME", "PACKAGES", "PORT", "LAN", "ADDRESS", "NODE_ADDRESSES"]) run.need(name);
    if (run.action !== "converge") throw new ScriptFailure([`unknown action ${run.action}`]);
    const [name, version] = [run.need("NODE_NAME"), run.need("VERSION")];
    await run.step(DURATIONS.host);
    const mesh = memberOf(run, client, name);
    if (mesh.version !== version) {
      const before = mesh.version;
      await run.step(DURATIONS.install, {
        text: `${client} ${before} → ${version}`,
        apply: () => {
          mesh.version = version;
        },
      });
      run.output.push(`${client}: ${before} → ${version}`);
    }
    if (client === "tailscale" && run.need("NODE_ADDRESSES") === "lan") await advertise(run, mesh, name);
    run.output.push(`mesh: ${name}, ${mesh.entry.address}, ${TITLE[client]} ${version}`);
  };

function memberOf({ host, world }: ScriptRun, client: MeshClient, name: string): HostMesh {
  const { mesh } = host;
  if (mesh?.client !== client || !world.mesh.knows(client, mesh.entry.id)) {
    throw new ScriptFailure([
      `${TITLE[client]} does not run on ${name}: found NeedsLogin · allowed ${client === "tailscale" ? "Running" : "Connected"}`,
      `fix: NeedsLogin: the device is gone from the mesh or its key has expired; a higher generation of ${name} joins it anew`,
    ]);
  }
  return mesh;
}

async function advertise(run: ScriptRun, mesh: HostMesh, name: string): Promise<void> {
  const { tailnet } = run.world.mesh;
  const route = `${run.need("ADDRESS")}/32`;
  const device = tailnet.devices.get(mesh.entry.id);
  if (device === undefined || (device.advertised.join() === route && device.enabled.join() === route)) return;
  await run.step(0, {
    text: `route ${route} advertised`,
    apply: () => {
      tailnet.advertise(device, [route]);
    },
  });
  if (device.enabled.includes(route)) return;
  run.spend(60);
  throw new ScriptFailure([
    `the route ${route} of ${name} is advertised, but not approved within 60 s`,
    `fix: the tailnet's policy must hold it: "autoApprovers": { "routes": { "${run.need("LAN")}": ["<the nodes' tag>"] } }; set mesh.policy to merge to let hybrid-k3s write that, or approve the route by hand`,
  ]);
}
