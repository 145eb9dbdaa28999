import { canonicalCidr, cidrHoldsHost, isCidr, isIpv4Address } from "../../components/network/cidr.ts";
import type { RegionPlan } from "../region-settings.ts";
import { ciliumProblems } from "./cilium-cross-shape.ts";
import { meshProblems } from "./mesh-cross-shape.ts";
import { describeFound, type Problem } from "./problem.ts";
import { children, rawMachines, rawPools, type RawMachine, type Tree } from "./raw-tree.ts";
import { RULES } from "./rules.ts";

function unknownRegion(region: unknown, plans: readonly RegionPlan[]): Problem[] {
  if (typeof region !== "string" || plans.length === 0 || plans.some(({ name }) => name === region)) return [];
  return [
    {
      path: ["region"],
      found: JSON.stringify(region),
      allowed: `a region of regions.yaml: ${plans.map(({ name }) => name).join(", ")}`,
      fix: RULES.region.fix,
    },
  ];
}

function sharedNames(all: readonly RawMachine[]): Problem[] {
  return all.flatMap(({ name, path }, index) => {
    const first = all.slice(0, index).find((machine) => machine.name === name);
    if (first === undefined) return [];
    return [
      {
        path,
        found: `a second machine of this name (the first is ${first.path.join(".")})`,
        allowed: "each machine name once in a region",
        fix: "rename the machine that is not in the cluster yet",
        harmless: true,
      },
    ];
  });
}

function outsideLan({ path, fields, lan, sitePath }: RawMachine): Problem[] {
  const { address } = fields;
  if (typeof address !== "string" || !isIpv4Address(address)) return [];
  // A LAN with a mistake of its own has a line of its own.
  if (typeof lan !== "string" || !isCidr(lan) || canonicalCidr(lan) !== lan || cidrHoldsHost(lan, address)) return [];
  return [
    {
      path: [...path, "address"],
      found: JSON.stringify(address),
      allowed: `a host address inside ${sitePath}.lan`,
      fix: `correct the address, or the LAN ${lan}`,
    },
  ];
}

/** A host in between that is a machine, and the site whose hosts are reached through it. */
interface Jump {
  readonly site: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

const nameIn = ({ value }: Jump): string | undefined => {
  const name = children({ value })[0]?.[1]["machine"];
  return typeof name === "string" ? name : undefined;
};

/** Every jump: of machines, and of the computers that run a site's VMs. */
const jumpsIn = (sites: unknown, all: readonly RawMachine[]): readonly Jump[] => [
  ...all.flatMap(({ site, jump }) => (jump === undefined ? [] : [{ site, ...jump }])),
  ...children(sites).flatMap(([site, tree]) => {
    const host = children({ host: tree["host"] })[0]?.[1];
    return host?.["jump"] === undefined ? [] : [{ site, path: ["sites", site, "host", "jump"], value: host["jump"] }];
  }),
];

/** A machine in between stands on another site, and is itself reached without a host in between: it is declared first. */
function jumpMachines(sites: unknown, all: readonly RawMachine[]): Problem[] {
  const away = new Set(children(sites).flatMap(([site, tree]) => (tree["host"] === undefined ? [] : [site])));
  const isDirect = ({ site, jump }: RawMachine): boolean =>
    !away.has(site) && (jump === undefined || jump.value === "none");
  const problems = jumpsIn(sites, all).flatMap((jump): Problem[] => {
    const name = nameIn(jump);
    const direct = all.filter((machine) => machine.site !== jump.site && isDirect(machine));
    if (name === undefined || direct.some((machine) => machine.name === name)) return [];
    const found = all.find((machine) => machine.name === name);
    const why =
      found === undefined
        ? ""
        : found.site === jump.site
          ? ", which stands on the same site"
          : ", which is reached through another host";
    return [
      {
        path: [...jump.path, "machine"],
        found: `${JSON.stringify(name)}${why}`,
        allowed: `a machine of another site that is reached without a jump host: ${direct.map((one) => one.name).join(", ") || "there is none"}`,
        fix: `${direct.length === 0 ? "" : "write one of these, "}write a host with its hostKey, or remove jump`,
      },
    ];
  });
  return problems.filter(({ path }, index) => index === problems.findIndex((one) => one.path.join() === path.join()));
}

function noServer(sites: unknown): Problem[] {
  const all = rawPools(sites);
  // Where a role is missing or wrong, that is the mistake to correct first.
  if (all.length === 0 || all.some(({ pool }) => pool["role"] !== "agent")) return [];
  return [
    {
      path: ["sites"],
      found: "no pool with the role server",
      allowed: "at least one server",
      fix: "give a pool the role server; three servers survive the loss of one",
      harmless: true,
    },
  ];
}

/** Half of a size is no size: the host would not be counted, and nobody would hear of it. */
function halfSizes(sites: unknown): Problem[] {
  const problems = rawPools(sites).flatMap(({ siteName, site, poolName, pool }) => {
    if (site["provider"] !== "existing") return [];
    const poolPath = ["sites", siteName, "pools", poolName];
    return children(pool["machines"]).flatMap(([name, own]): Problem[] => {
      const halves = (["cpus", "memory"] as const).flatMap((key) => {
        if (own[key] !== undefined) return [{ key, path: [...poolPath, "machines", name, key], value: own[key] }];
        return pool[key] === undefined ? [] : [{ key, path: [...poolPath, key], value: pool[key] }];
      });
      const [half, other] = halves;
      if (half === undefined || other !== undefined) return [];
      const [rule, missing] = half.key === "cpus" ? [RULES.cpusAlone, "memory"] : [RULES.memoryAlone, "cpus"];
      return [{ path: half.path, found: `${describeFound(half.value)} without ${missing}`, ...rule }];
    });
  });
  // One line for what a pool says, however many machines it has.
  return problems.filter(({ path }, index) => index === problems.findIndex((one) => one.path.join() === path.join()));
}

/**
 * What no single value can be wrong about. Works on the settings as written, whatever else is wrong with them, so that
 * these problems are listed in the same run as the others.
 */
export function crossShapeProblems(values: Tree, plans: readonly RegionPlan[]): Problem[] {
  const all = rawMachines(values["sites"]);
  return [
    ...unknownRegion(values["region"], plans),
    ...noServer(values["sites"]),
    ...sharedNames(all),
    ...all.flatMap(outsideLan),
    ...jumpMachines(values["sites"], all),
    ...halfSizes(values["sites"]),
    ...meshProblems(values),
    ...ciliumProblems(values, all),
  ];
}
