import { DURATIONS } from "../durations.ts";
import { enterMesh } from "../mesh-membership.ts";
import type { MeshClient } from "../mesh-networks.ts";
import { ScriptFailure, type ScriptRun } from "../script-run.ts";

/** Names under which the join scripts take the control server's address. */
const NETWORK = { tailscale: "tailnet", netbird: "NetBird network" } as const;

/** What components/mesh/scripts/tailscale-join.sh and netbird-join.sh do to a host. Whose mesh it is is not simulated. */
export const meshJoin =
  (client: MeshClient) =>
  async (run: ScriptRun): Promise<void> => {
    run.need("NODE_NAME");
    if (run.action === "join") await join(run, client);
    else if (run.action === "remove") await remove(run, client);
    else throw new ScriptFailure([`unknown action ${run.action}`]);
  };

async function join(run: ScriptRun, client: MeshClient): Promise<void> {
  const { host, world } = run;
  const [name, version, key] = [run.need("NODE_NAME"), run.need("VERSION"), run.need("JOIN_KEY")];
  run.need("PACKAGES");
  await run.step(DURATIONS.host);
  if (host.mesh === undefined || !world.mesh.knows(client, host.mesh.entry.id)) {
    const found = host.mesh?.version ?? version;
    let refused: string | undefined;
    await run.step(DURATIONS.meshJoin, {
      text: `joins the ${NETWORK[client]}`,
      apply: () => {
        refused = enterMesh(world, host, { client, version: found, key, name });
      },
    });
    if (refused !== undefined) {
      throw new ScriptFailure([
        `${name} could not join the ${NETWORK[client]}: ${refused}`,
        "fix: a key works once, and for as long as mesh.keyLifetime: once it has expired, the next pulumi up makes another",
      ]);
    }
  }
  const found = host.mesh?.entry.name ?? "none";
  if (found !== name) {
    throw new ScriptFailure([
      `this host is in the ${NETWORK[client]} under another name: found ${found} · allowed ${name}`,
      `fix: remove both devices from the mesh, log this host out, then run again`,
    ]);
  }
  run.output.push(`joined: ${name}, ${host.mesh?.entry.address ?? ""}`);
}

async function remove(run: ScriptRun, client: MeshClient): Promise<void> {
  const { host, world } = run;
  await run.step(DURATIONS.host, {
    text: `${client} removed`,
    apply: () => {
      if (host.mesh !== undefined) world.mesh.leave(client, host.mesh.entry.id);
      host.mesh = undefined;
    },
  });
  run.output.push(`mesh: ${client} is off this host`);
}
