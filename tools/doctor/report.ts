import { byName } from "../../components/network/names.ts";
import { checkClient } from "./checks/client.ts";
import { checkClock, checkOwnClock } from "./checks/clock.ts";
import { checkDevices } from "./checks/devices.ts";
import { checkK3s } from "./checks/k3s.ts";
import { checkKey } from "./checks/key.ts";
import { checkMtu } from "./checks/mtu.ts";
import { checkPaths } from "./checks/paths.ts";
import { checkRoutes } from "./checks/routes.ts";
import { checkSettings } from "./checks/settings.ts";
import { checkSsh, dialled } from "./checks/ssh.ts";
import type { Evidence, ExpectedNode, NodeView, Way } from "./evidence.ts";
import type { CheckName, Finding, Judgement, NodeCheck } from "./finding.ts";
import { notLookedAt, type NotLookedAt } from "./not-looked-at.ts";

/** Raised when a reader of the JSON would go wrong. */
export const REPORT_SCHEMA = 1;

/** One check of one node. */
export interface CheckReport {
  readonly check: CheckName;
  /** What was found to be well; absent where there are findings. */
  readonly well?: string;
  /** Numbers of its findings. */
  readonly findings: readonly number[];
}

/** A node in the report. */
export interface NodeReport extends ExpectedNode {
  /** How it is dialled; absent where the state does not tell. */
  readonly dialled?: string;
  readonly reached: boolean;
  /** Its address in the mesh. @default none, or it was not reached */
  readonly meshAddress?: string;
  /** Positive: its clock is ahead. Seconds. */
  readonly clockOffset?: number;
  readonly checks: readonly CheckReport[];
}

/** The way between two nodes in the report. */
export interface WayReport extends Way {
  readonly from: string;
}

/** All that the doctor says. `--json` prints it as it is. */
export interface DoctorReport {
  readonly schema: typeof REPORT_SCHEMA;
  readonly stack: string;
  readonly region: string;
  readonly mesh: "none" | "tailscale" | "netbird";
  /** The size that must pass everywhere. Bytes. */
  readonly packetBytes: number;
  readonly at: string;
  readonly nodes: readonly NodeReport[];
  readonly ways: readonly WayReport[];
  readonly notLookedAt: readonly NotLookedAt[];
  /** Numbered from 1, in this order. */
  readonly findings: readonly (Finding & { readonly number: number })[];
}

const NODE_CHECKS: readonly (readonly [CheckName, NodeCheck])[] = [
  ["ssh", checkSsh],
  ["mesh", checkClient],
  ["key", checkKey],
  ["routes", checkRoutes],
  ["mtu", checkMtu],
  ["paths", checkPaths],
  ["clock", checkClock],
  ["k3s", checkK3s],
];

type Named = readonly [CheckName, Judgement];

const judgementsOf = (view: NodeView, evidence: Evidence, ofRegion: readonly Finding[]): Named[] => {
  const own = NODE_CHECKS.flatMap(([name, check]): Named[] => {
    const judgement = check(view, evidence);
    return judgement === undefined ? [] : [[name, judgement]];
  });
  const device = ofRegion.filter(({ node }) => node === view.node.name);
  return device.length === 0 ? own : [...own, ["devices", { well: "", findings: device }]];
};

const bySiteAndName = ({ node: one }: NodeView, { node: other }: NodeView): number =>
  byName(one.site, other.site) || byName(one.name, other.name);

/** Judges all that was found. */
export function reportOf(stack: string, evidence: Evidence): DoctorReport {
  const { expectations, now } = evidence;
  const findings: (Finding & { number: number })[] = [];
  const numbered = (finding: Finding): number => findings.push({ number: findings.length + 1, ...finding });
  const ofRegion = [...checkDevices(evidence), ...checkOwnClock(evidence), ...checkSettings(evidence)];
  const views = [...evidence.nodes].sort(bySiteAndName);
  const nodes = views.map((view): NodeReport => {
    const { node, target, facts, reached } = view;
    const checks = judgementsOf(view, evidence, ofRegion).map(([check, { well, findings: of }]): CheckReport => {
      const numbers = of.map(numbered);
      return { check, ...(numbers.length === 0 && well !== "" ? { well } : {}), findings: numbers };
    });
    return {
      ...node,
      ...(target === undefined ? {} : { dialled: dialled(target) }),
      reached: reached?.phase === "ok",
      ...(facts?.client === undefined || facts.client.address === "" ? {} : { meshAddress: facts.client.address }),
      ...(facts?.clock === undefined ? {} : { clockOffset: Math.round(facts.clock.offset * 1000) / 1000 }),
      checks,
    };
  });
  ofRegion.filter(({ node }) => node === undefined).forEach(numbered);
  return {
    schema: REPORT_SCHEMA,
    stack,
    region: expectations.region,
    mesh: expectations.mesh?.provider ?? "none",
    packetBytes: expectations.mtus.underlay,
    at: now.toISOString(),
    nodes,
    ways: views.flatMap(({ node, ways }) => ways.map((way) => ({ from: node.name, ...way }))),
    notLookedAt: notLookedAt(evidence),
    findings,
  };
}
