import * as hcloud from "@pulumi/hcloud";
import type * as pulumi from "@pulumi/pulumi";
import type { MachineSpec } from "../machine.ts";
import { byName } from "../network/names.ts";

/** How many servers a spread group takes. https://docs.hetzner.com/cloud/placement-groups/overview */
export const GROUP_SIZE = 10;

/** The placement groups of a site. */
export interface PlacementGroups {
  /** The group of one of its machines. */
  readonly of: (machine: MachineSpec) => hcloud.PlacementGroup;
}

/** Number of the group that a machine of a pool belongs to, from 1: the place of its name decides. */
export const groupNumber = (name: string, poolNames: readonly string[]): number =>
  Math.floor([...poolNames].sort(byName).indexOf(name) / GROUP_SIZE) + 1;

/**
 * Makes groups of ten for every pool: the servers of one stand on different hardware.
 * @param name of the site, in front of theirs
 */
export function placementGroups(
  name: string,
  machines: readonly MachineSpec[],
  labels: Readonly<Record<string, string>>,
  options: pulumi.CustomResourceOptions,
): PlacementGroups {
  const groups = new Map<string, hcloud.PlacementGroup>();
  const nameOf = (machine: MachineSpec): string => {
    const pool = machines.filter((other) => other.pool === machine.pool).map((other) => other.name);
    return `${name}-${machine.pool}-${groupNumber(machine.name, pool)}`;
  };
  for (const group of new Set(machines.map(nameOf))) {
    groups.set(
      group,
      new hcloud.PlacementGroup(`${group}-group`, { name: group, type: "spread", labels: { ...labels } }, options),
    );
  }
  return {
    of: (machine) => {
      const group = groups.get(nameOf(machine));
      if (group === undefined) throw new Error(`no placement group is made for ${machine.name}`);
      return group;
    },
  };
}
