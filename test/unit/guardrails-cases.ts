import { cniVariantOf } from "../../components/k3s/cni-variant.ts";
import type { Deployed } from "../../stacks/deployed.ts";
import type { RegionSettings } from "../../stacks/region-settings.ts";
import { lastingOf } from "../../stacks/lasting.ts";
import { present } from "../../components/present.ts";
import { parseSettings } from "../../stacks/settings.ts";
import { statedAddress, statedShape } from "../../stacks/guardrails/guardrail.ts";
import { goodFixture, mergePatch } from "./settings-fixtures.ts";

type Tree = Record<string, unknown>;

/** A key that no host has. */
export const HOST_KEY = (
  goodFixture("minimal").settings as unknown as {
    sites: { rack: { pools: { control: { machines: Record<string, { hostKey: string }> } } } };
  }
).sites.rack.pools.control.machines["rack-a"]!.hostKey;

/** A machine as `<site>/<role> <name> <address>`, with further settings. */
export type MachineLine = readonly [line: string, more?: Tree];

const LANS: Readonly<Record<string, string>> = { rack: "10.20.0.0/24", attic: "192.168.1.0/24" };

/** What a case changes of three servers and an agent in tokyo. */
export interface Wanted {
  readonly region?: string;
  readonly version?: string;
  readonly machines?: readonly MachineLine[];
  readonly lans?: Readonly<Record<string, string>>;
  readonly regions?: Tree;
  readonly accept?: Readonly<Record<string, string>>;
  /** Releases, as they are written. */
  readonly platform?: Tree;
  readonly mesh?: Tree;
  readonly hostFirewall?: Tree;
  /** Beside the version. */
  readonly kubernetes?: Tree;
  /** Beside what `machines` make, by site's name. */
  readonly siteSettings?: Readonly<Record<string, Tree>>;
  /** Further sites, as they are written. */
  readonly sites?: Tree;
}

/** A case of a guardrail. */
export interface Case {
  readonly title: string;
  readonly settings?: Wanted;
  /** What runs; left out before the first update. */
  readonly deployed?: Wanted;
  /** The exact findings; none if all is well. */
  readonly findings?: readonly string[];
}

/** Three servers on one site. */
export const SERVERS: readonly MachineLine[] = [
  ["rack/server a 10.20.0.11"],
  ["rack/server b 10.20.0.12"],
  ["rack/server c 10.20.0.13"],
];
/** One agent beside them. */
export const AGENT: MachineLine = ["rack/agent w 10.20.0.21"];

function sites(machines: readonly MachineLine[], lans: Readonly<Record<string, string>>): Tree {
  const result: Record<string, { provider: string; lan: string; pools: Record<string, Tree> }> = {};
  for (const [line, more] of machines) {
    const [place = "", name = "", address = ""] = line.split(" ");
    const [siteName = "", role = ""] = place.split("/");
    const site = (result[siteName] ??= { provider: "existing", lan: lans[siteName] ?? "", pools: {} });
    const pool = (site.pools[role] ??= { role, machines: {} });
    (pool["machines"] as Tree)[name] = { address, hostKey: HOST_KEY, ...more };
  }
  return result;
}

/** Settings of a region, through the parser: what guardrails see is what a file can say. */
export function regionOf(wanted: Wanted = {}): RegionSettings {
  const region = wanted.region ?? "tokyo";
  return parseSettings(
    {
      region,
      kubernetes: { version: wanted.version ?? "v1.36.3+k3s1", ...wanted.kubernetes },
      ...(wanted.mesh === undefined ? {} : { mesh: wanted.mesh }),
      ...(wanted.hostFirewall === undefined ? {} : { hostFirewall: wanted.hostFirewall }),
      sites: {
        ...(mergePatch(
          sites(wanted.machines ?? [...SERVERS, AGENT], { ...LANS, ...wanted.lans }),
          wanted.siteSettings ?? {},
        ) as Tree),
        ...wanted.sites,
      },
      platform: wanted.platform ?? {},
      accept: wanted.accept ?? {},
    },
    { regions: wanted.regions ?? { [region]: { id: 1 }, mn: { id: 2 } } },
  );
}

/** The record that an update of such a region leaves. */
export function deployedOf(wanted: Wanted = {}): Deployed {
  const settings = regionOf(wanted);
  const { region, plan, kubernetes, mesh, sites: all } = settings;
  return {
    schema: 1,
    region,
    versions: { kubernetes: kubernetes.version, ...present({ cilium: kubernetes.cilium?.version }), releases: {} },
    cni: cniVariantOf(kubernetes),
    mesh: mesh.provider,
    ranges: { pods: plan.pods, services: plan.services },
    nodes: all.flatMap(({ machines, provider }) =>
      machines.map((machine) => ({
        name: machine.name,
        role: machine.role,
        site: machine.site,
        pool: machine.pool,
        generation: machine.generation,
        address: statedAddress(machine) ?? "",
        provider,
        ...present({ shape: statedShape(machine) }),
      })),
    ),
    contacts: [],
    lasting: { ...lastingOf(settings) },
    costs: {},
  };
}
