import type { LoginKey } from "../../components/bootstrap/login-key.ts";
import type { Contact } from "../../components/host/station-script.ts";
import type { Machine } from "../../components/machine.ts";
import type { Mesh } from "../../components/mesh/mesh.ts";

/** What a site is declared with, whatever its kind. */
export interface SiteContext {
  readonly region: string;
  /** The key that all machines take. */
  readonly login: LoginKey;
  /** Seconds that a host may take to answer on SSH. */
  readonly connectSeconds: number;
  /** Seconds that a node may take to drain. */
  readonly drainSeconds: number;
  /** Servers of the last successful run. @default none on the first one */
  readonly contacts: readonly Contact[];
  /** What the last successful run left each machine as, by name; only of machines that change in place. */
  readonly shapes: Readonly<Record<string, string>>;
  /** What the last successful run left machines in, by name; only of machines that stand in one. */
  readonly placementGroups: Readonly<Record<string, number>>;
  /** What the machines join. @default no mesh */
  readonly mesh?: Mesh;
  /** A machine of another site, which is declared already. */
  readonly machine: (name: string) => Machine;
}
