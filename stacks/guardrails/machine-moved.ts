import { problemText } from "../settings/problem.ts";
import { type Guardrail, machinePath, machinesOf } from "./guardrail.ts";

/** A machine stays on its site; another site has other machines. */
export const machineMoved: Guardrail = {
  id: "machine-moved",
  reason: "a machine's name is its node's name: the one on the new site could join only after the old one has left",
  severity: "refuse",
  check: (settings, deployed) =>
    machinesOf(settings).flatMap((machine) => {
      const before = deployed?.nodes.find(({ name }) => name === machine.name);
      if (before === undefined || before.site === machine.site) return [];
      return [
        problemText(machinePath(machine), `site ${machine.site}`, {
          allowed: `${before.site}, where ${machine.name} is deployed`,
          fix: "give the machines of the new site names of their own: they join before the old ones leave",
        }),
      ];
    }),
};
