import type { Topology } from "./topology.ts";
import type { Workload } from "./workload.ts";

/**
 * What an update recorded of a release that runs. It goes before what would be chosen anew: a region that grows must not
 * move volumes or join servers that ran alone.
 */
export interface Kept {
  /** The site that all of its volumes are in; undefined where they are in several, or there are none. */
  readonly site?: string | undefined;
  /** See {@link Lasting.facts}. */
  readonly facts: Readonly<Record<string, number>>;
}

/** What becomes of the data of a release that is changed under it. */
export interface Reshaping {
  /** Why it must not happen by itself. */
  readonly why: string;
  /** How it is done properly, as an order: `save the streams first`. */
  readonly how: string;
}

/** Numbers that the data of a release hangs on. */
export interface Lasting<Settings> {
  /**
   * The numbers as they are in a region. Each is named by the setting that states it, below `platform.<name>`; where it is
   * another one in each site, the site's name follows: `nodesPerSite.tokyo`.
   */
  readonly facts: (topology: Topology, settings: Settings) => Readonly<Record<string, number>>;
  /**
   * @param after undefined where the release no longer has it
   * @returns undefined where the change costs nothing
   */
  readonly reshaping: (fact: string, before: number, after: number | undefined) => Reshaping | undefined;
}

/** Whether a workload has data that does not follow it to another machine. */
export const keepsData = ({ volumeGiB, replication }: Workload): boolean =>
  volumeGiB !== undefined || replication !== undefined;
