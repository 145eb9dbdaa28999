import { problemText } from "../settings/problem.ts";
import { compareK3sVersions, parseK3sVersion } from "../settings/version.ts";
import type { Guardrail } from "./guardrail.ts";

/** First releases with the fix, by minor version: https://github.com/k3s-io/k3s/issues/14142 */
const FIXED = ["v1.33.13+k3s1", "v1.34.9+k3s1", "v1.35.6+k3s1", "v1.36.2+k3s1"];

/** k3s keeps flannel's interface when Tailscale's client restarts. */
export const tailscaleK3sVersion: Guardrail = {
  id: "tailscale-k3s-version",
  reason: "older k3s loses flannel's interface when Tailscale's client restarts, and all pods of the node with it",
  severity: "refuse",
  check: ({ mesh, kubernetes: { cni, version } }) => {
    const release = parseK3sVersion(version);
    if (mesh.provider !== "tailscale" || cni !== "flannel" || release === undefined) return [];
    const fixed = FIXED.flatMap((text) => parseK3sVersion(text) ?? []);
    const first = fixed.find(({ minor }) => minor === release.minor) ?? fixed[0];
    if (first === undefined || compareK3sVersions(release, first) >= 0) return [];
    return [
      problemText("kubernetes.version", version, {
        allowed: `with Tailscale, at least ${FIXED.map((text) => text.replace(/\+.*$/, "")).join(", ")}`,
        fix: "take a newer patch release of that minor version, or a newer one",
      }),
    ];
  },
};
