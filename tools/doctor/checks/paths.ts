import type { ExpectedNode } from "../evidence.ts";
import type { Finding, NodeCheck } from "../finding.ts";
import { isWell, judged } from "../finding.ts";
import { isLed, openWays, type OpenWay } from "../open-ways.ts";

const listed = (ways: readonly OpenWay[]): string => ways.map(({ way }) => way.to).join(", ");

const NO_PEER_FIX =
  "the mesh's policy must let the region's nodes reach each other: set mesh.policy to merge and pulumi up, or add the grant by hand";
const NO_PATH_FIX =
  "do both sites have a way to the internet, and does a relay answer (tailscale netcheck, netbird status -d, on the host)? UDP must get out";
const RELAYED_FIX =
  "open the mesh's UDP port on one of the two sides (its router, its cloud firewall), or set relay: true on a machine with a public address";

/** What is found of the mesh's own ways to the nodes of one site. */
function meshFindings(from: ExpectedNode, site: string, ways: readonly OpenWay[]): Finding[] {
  const finding = (text: string, fix: string): Finding => ({
    check: "paths",
    node: from.name,
    text: `${from.name}: ${text}`,
    fix,
  });
  const of = (kind: string): OpenWay[] => ways.filter(({ way }) => way.path?.kind === kind);
  const [strangers, unreached, relayed] = [of("unknown peer"), of("none"), of("relayed")];
  const relays = [...new Set(relayed.flatMap(({ way }) => way.path?.through ?? []))].sort();
  const by = relays.length === 0 ? "a relay" : `the relay ${relays.join(", ")}`;
  return [
    ...(strangers.length === 0
      ? []
      : [finding(`the mesh does not show it ${listed(strangers)} of site ${site}`, NO_PEER_FIX)]),
    ...(unreached.length === 0
      ? []
      : [finding(`the mesh finds no path to ${listed(unreached)} of site ${site}`, NO_PATH_FIX)]),
    ...(relayed.length === 0
      ? []
      : [finding(`packets to ${listed(relayed)} of site ${site} go through ${by}, and not directly`, RELAYED_FIX)]),
  ];
}

const FIXES = {
  lan: "look at the host firewalls, and at the switch or the cloud's rules between the two",
  routed:
    "look at the routers between the sites, and at the firewalls: sites without a mesh must reach each other by routing",
  mesh: "the mesh has a path, but packets between node addresses do not pass: look at the host firewalls, at the policy's grants for the sites' LANs, and at the other host's routes (its own findings)",
} as const;

const PLACES = { lan: "over the LAN", routed: "by routing", mesh: "through the mesh" } as const;

/** What is found of pings between nodes' own addresses. */
function pingFindings(from: ExpectedNode, ways: readonly OpenWay[]): Finding[] {
  return ways
    .filter((open) => open.way.latency === "none" && isLed(open))
    .map(({ way, to }) => ({
      check: "paths",
      node: from.name,
      text: `${from.name}: does not reach ${way.to} (${to.node.address}) of site ${to.node.site} ${PLACES[way.over]}: no answer to pings`,
      fix: FIXES[way.over],
    }));
}

/** In few words: how the mesh's packets get to the others. */
function inFewWords(ways: readonly OpenWay[]): string {
  const through = ways.filter(({ way }) => way.over === "mesh");
  if (through.length === 0) return ways.some(({ way }) => way.latency !== undefined) ? "reaches the others" : "";
  const kinds = Map.groupBy(through, ({ way }) => way.path?.kind ?? "idle");
  return [...kinds.entries()].map(([kind, of]) => `${of.length} ${kind}`).join(", ");
}

/** Whether a node gets to its neighbours and to the other sites, and how. */
export const checkPaths: NodeCheck = (view, evidence) => {
  const ways = openWays(view, evidence);
  if (ways.length === 0) return undefined;
  const bySite = Map.groupBy(
    ways.filter(({ way }) => way.over === "mesh"),
    ({ to }) => to.node.site,
  );
  const findings = [
    ...[...bySite.entries()].flatMap(([site, of]) => meshFindings(view.node, site, of)),
    ...pingFindings(view.node, ways),
  ];
  return findings.length > 0 ? judged(findings, "") : isWell(inFewWords(ways));
};
