import { scriptFile, type ScriptFile } from "../host/script-file.ts";

const at = (name: string): URL => new URL(`./scripts/${name}.sh`, import.meta.url);

/** The text that mesh-client.sh asks for before it: whose client the scripts and user data work with. */
export const clientLine = (client: "tailscale" | "netbird"): string => `CLIENT=${client}\n`;

/** Installs a mesh's pinned client, in plain `sh`: part of the scripts here, and of a cloud machine's user data. */
export const MESH_CLIENT: ScriptFile = scriptFile(at("mesh-client"));

/** A script behind what it shares with others, in one text: hosts get a program, not files. */
function meshScript(client: "tailscale" | "netbird", name: string): ScriptFile {
  const parts = [MESH_CLIENT, scriptFile(at("mesh-host")), scriptFile(at(`${client}-client`)), scriptFile(at(name))];
  return { name, body: clientLine(client) + parts.map(({ body }) => body).join("\n") };
}

/**
 * The scripts that hosts run for their mesh. Parameters stand at the top of each; the joins take the secret `JOIN_KEY`.
 * A join has the actions `join`, and `remove` for a host that is given back; a node's script has `converge`.
 */
export const MESH_SCRIPTS = {
  tailscaleJoin: meshScript("tailscale", "tailscale-join"),
  tailscaleNode: meshScript("tailscale", "tailscale-node"),
  netbirdJoin: meshScript("netbird", "netbird-join"),
  netbirdNode: meshScript("netbird", "netbird-node"),
} as const;
