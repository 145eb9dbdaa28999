import type { Evidence, NodeView } from "../evidence.ts";
import type { Finding, NodeCheck } from "../finding.ts";
import { isWell, judged } from "../finding.ts";

/** What is still well: certificates and etcd bear more, but a clock that is kept is never so far off. Seconds. */
const ALLOWED_SECONDS = 2;

interface Reading {
  readonly offset: number;
  readonly uncertainty: number;
}

/** Whether it is off by more than is still well, whatever the way there and back had to do with it. */
const isOff = ({ offset, uncertainty }: Reading): boolean => Math.abs(offset) - uncertainty > ALLOWED_SECONDS;
const seconds = (value: number): string => `${Math.abs(value).toFixed(1)} s`;

/** By how much this computer's own clock is off: where all hosts agree with each other and not with it. */
function ownOffset({ nodes }: Evidence): number | undefined {
  const readings = nodes.flatMap(({ facts }) => facts?.clock ?? []);
  const offsets = readings.map(({ offset }) => offset);
  const [least, most] = [Math.min(...offsets), Math.max(...offsets)];
  const agree = offsets.length > 1 && most - least <= ALLOWED_SECONDS;
  return agree && readings.every(isOff) ? (least + most) / 2 : undefined;
}

/** Whether a node's clock is right, beside this computer's, and kept so. */
export const checkClock: NodeCheck = ({ node: { name }, facts }: NodeView, evidence) => {
  const clock = facts?.clock;
  if (clock === undefined) return undefined;
  const { offset, synchronised } = clock;
  const findings: Finding[] = [];
  if (isOff(clock) && ownOffset(evidence) === undefined) {
    findings.push({
      check: "clock",
      node: name,
      text: `${name}: its clock is ${seconds(offset)} ${offset > 0 ? "ahead of" : "behind"} this computer's · allowed ${ALLOWED_SECONDS} s`,
      fix: "systemctl restart chrony (or systemd-timesyncd) on the host, and see that it reaches its time servers: chronyc sources, timedatectl timesync-status",
    });
  }
  if (synchronised === false) {
    findings.push({
      check: "clock",
      node: name,
      text: `${name}: no time service keeps its clock: timedatectl says that it is not synchronised`,
      fix: "timedatectl set-ntp true on the host, or install chrony there, and let UDP 123 out",
    });
  }
  return findings.length > 0
    ? judged(findings, "")
    : isWell(`clock ${offset < 0 ? "−" : "+"}${Math.abs(offset).toFixed(2)} s`);
};

/** Whether this computer's own clock is the one that is wrong. */
export function checkOwnClock(evidence: Evidence): Finding[] {
  const offset = ownOffset(evidence);
  if (offset === undefined) return [];
  return [
    {
      check: "clock",
      text: `this computer's clock is ${seconds(offset)} ${offset > 0 ? "behind" : "ahead of"} that of every node`,
      fix: "set this computer's clock, then look again",
    },
  ];
}
