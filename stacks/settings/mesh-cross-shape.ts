import type { Problem, Rule } from "./problem.ts";
import { children, rawPools, treeOf, type Tree } from "./raw-tree.ts";
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

/** What the mesh and the rest of the settings say of each other, as written. */
export function meshProblems(values: Tree): Problem[] {
  const mesh = treeOf(values["mesh"]);
  const provider = values["mesh"] === undefined ? "none" : mesh["provider"];
  const sites = children(values["sites"]);
  const meshAddresses = sites.filter(([, site]) => site["nodeAddresses"] === "mesh").map(([name]) => name);
  return [
    ...(provider === "tailscale" ? [...credentialProblems(mesh), ...headscaleProblems(mesh)] : []),
    ...(provider === "none"
      ? meshAddresses.map((name) => at(["sites", name, "nodeAddresses"], "mesh", RULES.nodeAddressesMesh))
      : []),
    // A provider that is wrong has a line of its own.
    ...(provider === "none" || provider === "netbird"
      ? relays(values["sites"]).map((path) => at(path, "true", RULES.relayMesh))
      : []),
  ];
}
