import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** Pod and service ranges stay what the last update left. */
export const cidrChanged: Guardrail = {
  id: "cidr-changed",
  reason: "Kubernetes cannot move a live cluster to other ranges: nodes and services keep the addresses they have",
  severity: "refuse",
  check: ({ region, plan }, deployed) =>
    (["pods", "services"] as const).flatMap((kind) => {
      const before = deployed?.ranges[kind];
      if (before === undefined || before === plan[kind]) return [];
      return [
        problemText(`regions.yaml.regions.${region}.${kind}`, plan[kind], {
          allowed: `${before}, as deployed`,
          fix: `set regions.${region}.${kind}: ${before} in regions.yaml, or build a new region and move to it`,
        }),
      ];
    }),
};
