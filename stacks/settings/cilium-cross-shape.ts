import {
  addressBlockOf,
  blockHolds,
  blockWithin,
  canonicalCidr,
  isCidr,
  isIpv4Address,
} from "../../components/network/cidr.ts";
import type { Problem } from "./problem.ts";
import type { Rule } from "../../components/strict-schema.ts";
import { children, type RawMachine, treeOf, type Tree } from "./raw-tree.ts";
import { RULES } from "./rules.ts";

function isWithin(text: unknown, lan: string): boolean {
  const block = typeof text === "string" ? addressBlockOf(text) : undefined;
  return block !== undefined && blockWithin(block, lan);
}

/** The pool's addresses lie on the LAN of a site whose network is nobody's cloud, and no machine has one of them. */
function poolProblems(pool: readonly unknown[], sites: unknown, machines: readonly RawMachine[]): Problem[] {
  const lans = children(sites)
    .filter(([, { provider, lan }]) => provider === "existing" && typeof lan === "string")
    .map(([, { lan }]) => lan as string)
    // A LAN with a mistake of its own has a line of its own.
    .filter((lan) => isCidr(lan) && canonicalCidr(lan) === lan);
  const first = lans.find((lan) => pool.some((text) => isWithin(text, lan)));
  return pool.flatMap((text, index): Problem[] => {
    const block = typeof text === "string" ? addressBlockOf(text) : undefined;
    if (block === undefined) return [];
    const path = ["kubernetes", "cilium", "loadBalancerPool", index];
    const say = (found: string, rule: Rule): Problem => ({ path, found, ...rule });
    if (!lans.some((lan) => blockWithin(block, lan))) return [say(JSON.stringify(text), RULES.addressBlockPlace)];
    if (first !== undefined && !blockWithin(block, first)) return [say(JSON.stringify(text), RULES.addressBlockSites)];
    const taken = machines.filter(({ fields: { address } }) => {
      return typeof address === "string" && isIpv4Address(address) && blockHolds(block, address);
    });
    return taken.map(({ name }) => say(`${JSON.stringify(text)}, which holds ${name}'s`, RULES.addressBlockTaken));
  });
}

/** What a raw list of k3s names; a text has commas between. */
const namesIn = (value: unknown): string[] =>
  [value].flat().flatMap((one) => (typeof one === "string" ? one.split(",").map((name) => name.trim()) : []));

/** Whether k3s's raw configuration takes back that ServiceLB is left out: `disable` replaces our list, `disable+` adds to it. */
function bringsServiceLb(config: Tree): boolean {
  let names = ["servicelb"];
  for (const [key, value] of Object.entries(config)) {
    if (key === "disable") names = namesIn(value);
    if (key === "disable+") names = [...names, ...namesIn(value)];
  }
  return !names.includes("servicelb");
}

/** What the pod network and the rest of the settings say of each other, as written. */
export function ciliumProblems(values: Tree, machines: readonly RawMachine[]): Problem[] {
  const kubernetes = treeOf(values["kubernetes"]);
  const cni = kubernetes["cni"] ?? "flannel";
  const problems: Problem[] = [];
  const say = (key: string[], found: string, rule: Rule): void => {
    problems.push({ path: ["kubernetes", ...key], found, ...rule, harmless: true });
  };
  const { flannelBackend, cilium } = kubernetes;
  if (cni === "cilium" && flannelBackend !== undefined)
    say(["flannelBackend"], "a setting", RULES.flannelBackendUnused);
  if (cni === "flannel" && cilium !== undefined) say(["cilium"], "settings", RULES.ciliumUnused);
  if (cni !== "cilium") return problems;
  const { loadBalancerPool: pool, kubeProxyReplacement } = treeOf(cilium);
  if (!Array.isArray(pool) || pool.length === 0) return problems;
  if (kubeProxyReplacement === false) say(["cilium", "kubeProxyReplacement"], "false", RULES.addressBlockProxy);
  if (bringsServiceLb(treeOf(kubernetes["config"])))
    say(["config", "disable"], "a list without servicelb", RULES.addressBlockDisable);
  return [...problems, ...poolProblems(pool, values["sites"], machines)];
}
