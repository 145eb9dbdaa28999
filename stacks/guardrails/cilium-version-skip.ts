import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

const minorOf = (version: string): number => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major * 1000 + minor;
};
const nameOf = (minor: number): string => `${Math.floor(minor / 1000)}.${minor % 1000}`;

/** https://docs.cilium.io/en/stable/operations/upgrade/: tested from one minor version to the next, and back by one. */
export const ciliumVersionSkip: Guardrail = {
  id: "cilium-version-skip",
  reason: "Cilium is tested from one minor version to the next only: across more, pods can lose their network",
  severity: "refuse",
  check: ({ kubernetes: { cilium } }, deployed) => {
    const before = deployed?.versions.cilium;
    if (cilium === undefined || before === undefined) return [];
    const [from, to] = [minorOf(before), minorOf(cilium.version)];
    if (Math.abs(to - from) <= 1) return [];
    const next = nameOf(to > from ? from + 1 : from - 1);
    return [
      problemText("kubernetes.cilium.version", cilium.version, {
        allowed: `${nameOf(from - 1)} to ${nameOf(from + 1)}, one minor version from the deployed ${before}`,
        fix: `set the newest release of ${next}, update, then go on`,
      }),
    ];
  },
};
