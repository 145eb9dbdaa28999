import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** A mesh comes to, or goes from, a cluster that runs. */
export const meshChanged: Guardrail = {
  id: "mesh-changed",
  reason: "node by node, routes and MTU change under pods that run: between old and new nodes packets can get lost",
  severity: "ask",
  check: ({ mesh: { provider } }, deployed) =>
    deployed === undefined || deployed.mesh === provider
      ? []
      : [
          problemText("mesh.provider", provider, {
            allowed: `${deployed.mesh}, as deployed`,
            fix: "plan an interruption and accept this: pods keep the MTU that they started with until they start again",
          }),
        ],
};
