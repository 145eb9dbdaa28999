import type { Host } from "./host.ts";
import type { MeshClient } from "./mesh-networks.ts";
import type { World } from "./world.ts";

/** Lets a host into the mesh by a key. @returns what the client prints when it is refused */
export function enterMesh(
  world: World,
  host: Host,
  { client, version, key, name }: { client: MeshClient; version: string; key: string; name: string },
): string | undefined {
  const entry = world.mesh.join(client, key, name);
  if (typeof entry === "string") return entry;
  host.mesh = { client, version, entry };
  return undefined;
}

/** What user data holds of the mesh; undefined where it has none. */
function joinIn(userData: string): { client: MeshClient; version: string; key: string; name: string } | undefined {
  const found = (pattern: RegExp): string => pattern.exec(userData)?.[1] ?? "";
  const client = found(/^CLIENT=(\w+)$/m);
  if (client !== "tailscale" && client !== "netbird") return undefined;
  return {
    client,
    version: found(/^VERSION='([^']*)'$/m),
    key: found(/^printf '%s\\n' '([^']*)' >"\$join_key"$/m),
    name: found(/--hostname[= ]'([^']*)'/),
  };
}

/** A machine's first boot, as far as the mesh and the machine's own firewall go. @returns what its log says, if anything */
export function firstBoot(world: World, host: Host, userData: string): string | undefined {
  const rules = /^(table inet hybrid_k3s \{\n.*?\n\}\n)/ms.exec(userData)?.[1];
  if (rules !== undefined) host.firewall.confirmed = rules;
  const join = joinIn(userData);
  if (join === undefined || !host.sshUp) return undefined;
  const refused = enterMesh(world, host, join);
  return refused === undefined ? `in the mesh as ${host.mesh?.entry.name ?? ""}` : `not in the mesh: ${refused}`;
}
