import * as hcloud from "@pulumi/hcloud";
import type * as pulumi from "@pulumi/pulumi";
import type { MachineSpec } from "../machine.ts";
import { byName } from "../network/names.ts";

/** How many servers a spread group takes. https://docs.hetzner.com/cloud/placement-groups/overview */
export const GROUP_SIZE = 10;

/** The placement groups of a site. */
export interface PlacementGroups {
  /** The group of one of its machines, and its number in the pool. */
  readonly of: (machine: MachineSpec) => { readonly group: hcloud.PlacementGroup; readonly number: number };
}

/**
 * Numbers the groups of a pool's machines, from 1. A machine keeps the number that it has: its server does not change its
 * group while it runs, whoever comes or goes beside it. A new one goes where there is room.
 * @param earlier numbers of the last successful run, by name
 */
export function groupNumbers(
  poolNames: readonly string[],
  earlier: Readonly<Record<string, number>>,
): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  const sizeOf = (number: number): number => [...numbers.values()].filter((one) => one === number).length;
  const settle = (name: string, from: number): void => {
    let number = from;
    while (sizeOf(number) >= GROUP_SIZE) number++;
    numbers.set(name, number);
  };
  const names = [...poolNames].sort(byName);
  for (const name of names) {
    const known = earlier[name];
    if (known !== undefined) settle(name, known);
  }
  for (const name of names) if (!numbers.has(name)) settle(name, 1);
  return numbers;
}

/**
 * Makes groups of ten for every pool: the servers of one stand on different hardware.
 * @param name of the site, in front of theirs
 * @param earlier numbers of the last successful run, by machine
 */
export function placementGroups(
  name: string,
  machines: readonly MachineSpec[],
  earlier: Readonly<Record<string, number>>,
  labels: Readonly<Record<string, string>>,
  options: pulumi.CustomResourceOptions,
): PlacementGroups {
  const groups = new Map<string, hcloud.PlacementGroup>();
  const placed = new Map<string, { readonly group: hcloud.PlacementGroup; readonly number: number }>();
  for (const [pool, members] of Map.groupBy(machines, (machine) => machine.pool)) {
    const names = members.map((machine) => machine.name);
    for (const [machine, number] of groupNumbers(names, earlier)) {
      const full = `${name}-${pool}-${number}`;
      const group =
        groups.get(full) ??
        new hcloud.PlacementGroup(`${full}-group`, { name: full, type: "spread", labels: { ...labels } }, options);
      groups.set(full, group);
      placed.set(machine, { group, number });
    }
  }
  return {
    of: (machine) => {
      const found = placed.get(machine.name);
      if (found === undefined) throw new Error(`no placement group is made for ${machine.name}`);
      return found;
    },
  };
}
