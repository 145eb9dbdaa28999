import type { RegionSettings } from "../stacks/region-settings.ts";
import { PLUGIN_NAMES, type Plugin, type PluginName } from "../tools/toolchain/plugins.ts";

/** One provider of a rehearsal: played, or an official plugin. */
export interface PluginChoice {
  readonly name: PluginName;
  /** The official plugin that is used; undefined: the stand-in is. */
  readonly plugin?: Plugin;
  /** For the report: `stand-in`, or version and path of the plugin, or why it is not used. */
  readonly description: string;
}

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Plugins whose settings point them at something on this computer: hcloud, where every site has an `apiEndpoint` here.
 * @param settings undefined where they do not hold together: then none is
 */
export function pluginsAtHome(settings: RegionSettings | undefined): ReadonlySet<PluginName> {
  const sites = (settings?.sites ?? []).filter((site) => site.provider === "hetzner");
  const here = ({ apiEndpoint = "" }: (typeof sites)[number]): boolean =>
    URL.canParse(apiEndpoint) && LOOPBACK.has(new URL(apiEndpoint).hostname);
  return new Set(sites.length > 0 && sites.every(here) ? (["hcloud"] as const) : []);
}

/** These reach out to hosts, clusters and clouds: with a simulated world they would work on real ones. */
const REACHES_OUT: ReadonlySet<PluginName> = new Set(["command", "kubernetes", "aws", "hcloud"]);

/**
 * Decides for each provider between stand-in and official plugin.
 * @param found official plugins that may be used
 * @param backend in a simulated world the plugins that would reach out to real hosts stay played
 * @param atHome plugins whose settings point them at something on this computer: they reach nothing else
 */
export function choosePlugins(
  found: readonly Plugin[],
  backend: "simulated" | "ssh",
  atHome: ReadonlySet<PluginName> = new Set(),
): PluginChoice[] {
  return PLUGIN_NAMES.map((name) => {
    const plugin = found.find((entry) => entry.name === name);
    if (plugin === undefined) return { name, description: "stand-in" };
    const named = `${plugin.version === undefined ? "" : `v${plugin.version} `}${plugin.path}`;
    if (backend === "simulated" && REACHES_OUT.has(name) && !atHome.has(name)) {
      return { name, description: `stand-in (${named} is here, but would reach out to real hosts)` };
    }
    return { name, plugin, description: named };
  });
}
