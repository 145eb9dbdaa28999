import type { Problem } from "./problem.ts";
import type { Rule } from "../../components/strict-schema.ts";
import { children, rawPools, treeOf, type Tree } from "./raw-tree.ts";
import { RELAY_PORT } from "../../components/mesh/relay-port.ts";
import { byName } from "../../components/network/names.ts";
import { RULES } from "./rules.ts";

const stated = (tree: Tree, keys: readonly string[]): string[] => keys.filter((key) => tree[key] !== undefined);
const at = (path: readonly string[], found: string, rule: Rule): Problem => ({ path, found, ...rule, harmless: true });

/** More than one way to show who this computer is: which one counts would be a guess. */
function credentialProblems(mesh: Tree): Problem[] {
  const oauth = stated(mesh, ["oauthClientId", "oauthClientSecret", "identityToken"]);
  if (mesh["headscale"] !== undefined) {
    return oauth.map((key) =>
      at(["mesh", key], "a credential that Headscale has no use for", RULES.headscaleCredential),
    );
  }
  const all = [...stated(mesh, ["apiKey"]), ...oauth];
  const twoProofs = mesh["oauthClientSecret"] !== undefined && mesh["identityToken"] !== undefined;
  if (!twoProofs && (mesh["apiKey"] === undefined || oauth.length === 0)) return [];
  return [at(["mesh"], all.join(" and "), RULES.meshCredential)];
}

function headscaleProblems(mesh: Tree): Problem[] {
  if (mesh["headscale"] === undefined) return [];
  return [
    ...(mesh["baseUrl"] === undefined ? [] : [at(["mesh", "baseUrl"], "a second address", RULES.headscaleBaseUrl)]),
    ...(mesh["operators"] === undefined ? [at(["mesh", "operators"], "nothing", RULES.headscaleOperators)] : []),
  ];
}

/** Kinds of site whose machines install the mesh's client in their first boot, from an image that holds nothing of ours. */
const JOINING_BY_THEMSELVES: readonly unknown[] = ["hetzner", "lightsail"];

function packagesProblems(mesh: Tree, sites: readonly (readonly [string, Tree])[]): Problem[] {
  const packages = mesh["packages"];
  if (typeof packages !== "string" || !packages.startsWith("file:")) return [];
  const clouds = sites.filter(([, { provider }]) => JOINING_BY_THEMSELVES.includes(provider)).map(([name]) => name);
  if (clouds.length === 0) return [];
  const found = `a directory on the machines, with sites of a cloud's machines: ${clouds.sort(byName).join(", ")}`;
  return [at(["mesh", "packages"], found, RULES.cloudPackages)];
}

const relays = (sites: unknown): string[][] =>
  rawPools(sites).flatMap(({ siteName, poolName, pool }) => {
    const path = ["sites", siteName, "pools", poolName];
    return [
      ...(pool["relay"] === true ? [[...path, "relay"]] : []),
      ...children(pool["machines"])
        .filter(([, machine]) => machine["relay"] === true)
        .map(([name]) => [...path, "machines", name, "relay"]),
    ];
  });

/** Two programs of one machine cannot listen on one port. */
const relayPortProblems = (mesh: Tree, relaying: readonly string[][]): Problem[] =>
  mesh["port"] === RELAY_PORT && relaying.length > 0 ? [at(["mesh", "port"], String(RELAY_PORT), RULES.relayPort)] : [];

/** What the mesh and the rest of the settings say of each other, as written. */
export function meshProblems(values: Tree): Problem[] {
  const mesh = treeOf(values["mesh"]);
  const provider = values["mesh"] === undefined ? "none" : mesh["provider"];
  const sites = children(values["sites"]);
  const meshAddresses = sites.filter(([, site]) => site["nodeAddresses"] === "mesh").map(([name]) => name);
  const relaying = relays(values["sites"]);
  return [
    ...(provider === "tailscale"
      ? [...credentialProblems(mesh), ...headscaleProblems(mesh), ...relayPortProblems(mesh, relaying)]
      : []),
    ...(provider === "tailscale" || provider === "netbird" ? packagesProblems(mesh, sites) : []),
    ...(provider === "none"
      ? meshAddresses.map((name) => at(["sites", name, "nodeAddresses"], "mesh", RULES.nodeAddressesMesh))
      : []),
    // A provider that is wrong has a line of its own.
    ...(provider === "none" || provider === "netbird" ? relaying.map((path) => at(path, "true", RULES.relayMesh)) : []),
  ];
}
