import type { HostFacts, MeshClient, RoutingRule } from "./evidence.ts";
import { clientOfNetbird } from "./netbird-status.ts";
import { clientOfTailscale } from "./tailscale-status.ts";

/** One fact a line, by its first word; the rest of each line in order of appearance. */
export function factLines(text: string): ReadonlyMap<string, readonly string[]> {
  const lines = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [word = ""] = line.split(" ", 1);
    if (word !== "") lines.set(word, [...(lines.get(word) ?? []), line.slice(word.length + 1)]);
  }
  return lines;
}

/** What a host printed in JSON; undefined where it printed nothing, or something else. */
export function json(text: string | undefined): unknown {
  try {
    return text === undefined || text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const records = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? (value as Record<string, unknown>[]) : [];

/** A rule as `ip -j` prints it: a whole destination address has no length. */
function ruleOf({ priority, dst, dstlen, table, action }: Readonly<Record<string, unknown>>): RoutingRule {
  return {
    priority: Number(priority),
    ...(typeof dst === "string" ? { to: `${dst}/${Number(dstlen ?? 32)}` } : {}),
    action: typeof action === "string" ? action : `lookup ${String(table)}`,
  };
}

/** Destinations that a table sends somewhere; `throw` and its kind send nowhere. */
const destinations = (routes: unknown): readonly string[] =>
  records(routes)
    .filter(({ type }) => type === undefined)
    .map(({ dst }) => String(dst))
    .map((dst) => (dst.includes("/") ? dst : `${dst}/32`));

const pairs = (lines: readonly string[] = []): Record<string, string> =>
  Object.fromEntries(lines.map((line): [string, string] => [line.split(" ")[0] ?? "", line.split(" ").at(-1) ?? ""]));

/** The client of a mesh; undefined where the host has none, or it says nothing that can be read. */
function clientOf(mesh: string, status: unknown): MeshClient | undefined {
  if (typeof status !== "object" || status === null) return undefined;
  return mesh === "netbird" ? clientOfNetbird(status) : clientOfTailscale(status);
}

/**
 * Reads what the probe printed of a host.
 * @param mesh whose client it was asked about
 * @param clock what became of reading its clock; see `probe.sh`
 */
export function parseLook(
  text: string,
  mesh: string,
  clock?: { readonly offset: number; readonly uncertainty: number },
): HostFacts {
  const lines = factLines(text);
  const client = clientOf(mesh, json(lines.get("status")?.[0]));
  const synchronised = lines.get("synchronised")?.[0];
  const told = synchronised === "yes" || synchronised === "no" ? { synchronised: synchronised === "yes" } : {};
  return {
    ...(clock === undefined ? {} : { clock: { ...clock, ...told } }),
    units: pairs(lines.get("unit")),
    mtus: Object.fromEntries(Object.entries(pairs(lines.get("mtu"))).map(([name, mtu]) => [name, Number(mtu)])),
    rules: records(json(lines.get("rules")?.[0])).map(ruleOf),
    meshRoutes: destinations(json(lines.get("routes")?.[0])),
    ...(client === undefined ? {} : { client }),
    missing: lines.get("missing") ?? [],
  };
}
