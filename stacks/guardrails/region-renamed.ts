import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** A stack keeps its region. */
export const regionRenamed: Guardrail = {
  id: "region-renamed",
  reason: "a region's name is part of every resource and of every host's claim: another name is another cluster",
  severity: "refuse",
  check: ({ region }, deployed) =>
    deployed === undefined || deployed.region === region
      ? []
      : [
          problemText("region", JSON.stringify(region), {
            allowed: `${JSON.stringify(deployed.region)}, as deployed by this stack`,
            fix: `set hybrid-k3s:region back to ${deployed.region}, or make a new stack for ${region}`,
          }),
        ],
};
