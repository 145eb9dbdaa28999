import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { atLeast, parseVersion } from "./resolve.ts";
import { executablesOnPath } from "./effects.ts";

/** The provider plugins that this project's programs use. */
export const PLUGIN_NAMES = ["command", "random", "tls", "kubernetes", "aws", "hcloud"] as const;
/** Name of one of them. */
export type PluginName = (typeof PLUGIN_NAMES)[number];

/** An official provider plugin on this computer. */
export interface Plugin {
  readonly name: PluginName;
  /** Absolute path of the executable. */
  readonly path: string;
  /** Version without a leading v; undefined if the plugin does not say. */
  readonly version?: string;
}

/** The newest of `resource-<name>-v<version>` folders in Pulumi's plugin cache. */
async function inPulumiHome(name: PluginName, home: string): Promise<Plugin | undefined> {
  const folders = await readdir(join(home, "plugins")).catch(() => []);
  const versions = folders
    .map((folder) => ({ folder, version: new RegExp(`^resource-${name}-v(\\d+\\.\\d+\\.\\d+)$`).exec(folder)?.[1] }))
    .filter((entry): entry is { folder: string; version: string } => entry.version !== undefined)
    .sort((a, b) => (atLeast(a.version, b.version) ? -1 : 1));
  for (const { folder, version } of versions) {
    const [path] = await executablesOnPath(`pulumi-resource-${name}`, join(home, "plugins", folder));
    if (path !== undefined) return { name, path, version };
  }
  return undefined;
}

/** Finds the official plugins on PATH, else in `~/.pulumi/plugins` (PULUMI_HOME is respected). Never downloads one. */
export async function findPlugins(environment: NodeJS.ProcessEnv = process.env): Promise<Plugin[]> {
  const home = environment["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
  const found = await Promise.all(
    PLUGIN_NAMES.map(async (name): Promise<Plugin | undefined> => {
      const [path] = await executablesOnPath(`pulumi-resource-${name}`, environment["PATH"]);
      if (path === undefined) return inPulumiHome(name, home);
      const asked = await execa(path, ["--version"], { timeout: 10_000, reject: false });
      const version = asked.exitCode === 0 ? parseVersion(asked.stdout) : undefined;
      return { name, path, ...(version === undefined ? {} : { version }) };
    }),
  );
  return found.filter((plugin) => plugin !== undefined);
}
