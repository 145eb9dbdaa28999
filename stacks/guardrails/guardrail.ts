import { shapeOf } from "../../components/lima/vm-yaml.ts";
import type { Deployed } from "../deployed.ts";
import type { MachineSettings, RegionSettings } from "../region-settings.ts";
import { formatPath } from "../settings/problem.ts";

/**
 * What a finding leads to: `refuse` ends the update, `ask` ends it unless the settings accept it with a reason, `warn` is
 * shown and lets it pass.
 */
export type Severity = "refuse" | "ask" | "warn";

/** A check of the settings, or of the settings against what is deployed, that needs more than one value to be wrong. */
export interface Guardrail {
  /** The name by which people accept it, look it up and talk about it. */
  readonly id: string;
  /** Why it is there, in one line. */
  readonly reason: string;
  readonly severity: Severity;
  /**
   * @param deployed what the last successful update left; undefined before the first one
   * @returns one line per finding, `path: found … · allowed … · fix: …`; empty if all is well
   */
  readonly check: (settings: RegionSettings, deployed: Deployed | undefined) => readonly string[];
}

/** All machines of a region, sorted by site and name. */
export const machinesOf = (settings: RegionSettings): readonly MachineSettings[] =>
  settings.sites.flatMap<MachineSettings>((site) => site.machines);

/** The servers of a region, sorted by site and name. */
export const serversOf = (settings: RegionSettings): readonly MachineSettings[] =>
  machinesOf(settings).filter((machine) => machine.role === "server");

/** Where a machine stands in the settings. */
export const machinePath = ({ site, pool, name }: MachineSettings): string =>
  formatPath(["sites", site, "pools", pool, "machines", name]);

/** The private address that the settings state; undefined where the machine gets one when it is made. */
export const statedAddress = (machine: MachineSettings): string | undefined =>
  "address" in machine ? machine.address : undefined;

/** What a machine's shape is, where it changes in place: see `Machine.shape`. */
export const statedShape = (machine: MachineSettings): string | undefined =>
  "memoryGiB" in machine ? shapeOf(machine) : undefined;
