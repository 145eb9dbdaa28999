import { problemText } from "../settings/problem.ts";
import { parseK3sVersion } from "../settings/version.ts";
import type { Guardrail } from "./guardrail.ts";

/** https://kubernetes.io/releases/version-skew-policy/: API servers of one cluster are at most one minor apart. */
export const versionSkip: Guardrail = {
  id: "version-skip",
  reason: "Kubernetes upgrades one minor version at a time: data and components are only tested across one",
  severity: "refuse",
  check: ({ kubernetes: { version } }, deployed) => {
    const [before, after] = [parseK3sVersion(deployed?.versions.kubernetes ?? ""), parseK3sVersion(version)];
    if (before === undefined || after === undefined || after.minor - before.minor <= 1) return [];
    const next = `v1.${before.minor + 1}`;
    return [
      problemText("kubernetes.version", version, {
        allowed: `up to ${next}, one minor after the deployed ${deployed?.versions.kubernetes ?? ""}`,
        fix: `set the newest k3s release of ${next}, update, then go on`,
      }),
    ];
  },
};
