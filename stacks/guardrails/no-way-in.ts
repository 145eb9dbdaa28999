import { formatPath, problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** A site whose firewall is ours says who may come in, while no mesh does it. */
export const noWayIn: Guardrail = {
  id: "no-way-in",
  reason: "a machine's firewall lets in nobody that the settings do not name: not this computer either",
  severity: "refuse",
  check: (settings) =>
    settings.sites.flatMap((site) => {
      // Machines join the mesh by themselves, and are reached there.
      if (settings.mesh.provider !== "none") return [];
      if (!("accessFrom" in site) || site.accessFrom.length > 0) return [];
      return [
        problemText(`${formatPath(["sites", site.name])}.access`, "nothing", {
          allowed: "the ranges that SSH and the API are reached from, while mesh.provider is none",
          fix: 'write the address of this computer as the internet sees it: access: { from: ["198.51.100.7/32"] }',
        }),
      ];
    }),
};
