import { formatPath, problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** Without a mesh, somebody else's routes carry what sites have to say to each other. */
export const routedSites: Guardrail = {
  id: "routed-sites",
  reason: "a node whose site has no route to the servers' is Ready at best, and its pods are cut off",
  severity: "ask",
  check: (settings) => {
    const [first, ...others] = settings.sites;
    if (settings.mesh.provider !== "none" || first === undefined || others.length === 0) return [];
    const lans = settings.sites.map(({ name, lan }) => `${formatPath(["sites", name])} ${lan}`).join(", ");
    return [
      problemText("mesh.provider", `none, with ${settings.sites.length} sites`, {
        allowed: `one site, or routes between the private ranges of all: ${lans}`,
        fix: "set those routes up and accept this, or keep the machines of one site",
      }),
    ];
  },
};
