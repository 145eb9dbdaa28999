import { problemText } from "../settings/problem.ts";
import { compareK3sVersions, parseK3sVersion } from "../settings/version.ts";
import type { Guardrail } from "./guardrail.ts";

/** Kubernetes never goes back. */
export const versionDowngrade: Guardrail = {
  id: "version-downgrade",
  reason: "a newer Kubernetes has already written its data: an older one may not be able to read it",
  severity: "refuse",
  check: ({ kubernetes: { version } }, deployed) => {
    const [before, after] = [parseK3sVersion(deployed?.versions.kubernetes ?? ""), parseK3sVersion(version)];
    if (before === undefined || after === undefined || compareK3sVersions(after, before) >= 0) return [];
    const deployedVersion = deployed?.versions.kubernetes ?? "";
    return [
      problemText("kubernetes.version", version, {
        allowed: `the deployed ${deployedVersion} or a newer release`,
        fix: `set kubernetes.version back to ${deployedVersion}; to go back further, restore an etcd snapshot`,
      }),
    ];
  },
};
