import { parseArgs } from "node:util";
import { realEffects } from "./toolchain/effects.ts";
import { findPlugins, PLUGIN_NAMES } from "./toolchain/plugins.ts";
import { CLI_VERSION, OLDEST_CLI, resolveCli, ToolchainError } from "./toolchain/resolve.ts";

const HELP = `npm run toolchain -- [--json] [--help]

Finds the Pulumi CLI (v${OLDEST_CLI} or newer), or makes one, and says which official provider plugins are here:
  1. pulumi on PATH
  2. the per-user cache (XDG_CACHE_HOME, else ~/.cache, in hybrid-k3s/)
  3. the official download of v${CLI_VERSION}, verified against the release's checksum file
  4. a build from the Go module proxy (needs go; about 4 minutes on two cores, once)
Exit code: 0 a CLI is ready · 1 none could be had · 2 wrong usage`;

async function main(): Promise<number> {
  let json: boolean;
  try {
    const { values } = parseArgs({ options: { json: { type: "boolean" }, help: { type: "boolean", short: "h" } } });
    if (values.help === true) {
      console.log(HELP);
      return 0;
    }
    json = values.json === true;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  try {
    const cli = await resolveCli(realEffects((line) => console.error(line)));
    const plugins = await findPlugins();
    if (json) {
      console.log(JSON.stringify({ cli, plugins }));
      return 0;
    }
    console.log(`Pulumi CLI  v${cli.version}  ${cli.path}  (${cli.source})`);
    for (const name of PLUGIN_NAMES) {
      const plugin = plugins.find((entry) => entry.name === name);
      const state =
        plugin === undefined
          ? "not here: pulumi downloads it on first use; a rehearsal uses its stand-in"
          : `${plugin.version === undefined ? "" : `v${plugin.version}  `}${plugin.path}`;
      console.log(`plugin ${name.padEnd(10)}  ${state}`);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof ToolchainError)) throw error;
    console.error(error.message);
    return 1;
  }
}

process.exitCode = await main();
