import type { Evidence, NodeView } from "./evidence.ts";

/** The families of checks, in the order in which they are reported. */
export const CHECKS = ["ssh", "mesh", "key", "routes", "mtu", "paths", "clock", "k3s", "devices", "settings"] as const;
/** One of them. */
export type CheckName = (typeof CHECKS)[number];

/** Something that is not as it should be. */
export interface Finding {
  readonly check: CheckName;
  /** @default it is the region's as a whole */
  readonly node?: string;
  /** What was found and what is allowed, on one line. */
  readonly text: string;
  /** What to do about it. */
  readonly fix: string;
}

/** What a check has to say of a node. */
export interface Judgement {
  /** What was found to be well, in a few words. Empty: the findings say it all. */
  readonly well: string;
  readonly findings: readonly Finding[];
}

/** A check of one node. Undefined: it does not apply, or there is nothing to judge by. */
export type NodeCheck = (view: NodeView, evidence: Evidence) => Judgement | undefined;

/** A judgement without a finding. */
export const isWell = (well: string): Judgement => ({ well, findings: [] });

/** A judgement of findings alone, or of what was well where there are none. */
export const judged = (findings: readonly Finding[], well: string): Judgement =>
  findings.length === 0 ? isWell(well) : { well: "", findings };
