import { problemText } from "../settings/problem.ts";
import { type Guardrail, machinePath } from "./guardrail.ts";

/** A machine stays on its site, and a site stays of its kind; another one has other machines. */
export const machineMoved: Guardrail = {
  id: "machine-moved",
  reason: "a machine's name is its node's name: the one on the new site could join only after the old one has left",
  severity: "refuse",
  check: (settings, deployed) =>
    settings.sites.flatMap((site) =>
      site.machines.flatMap((machine) => {
        const before = deployed?.nodes.find(({ name }) => name === machine.name);
        // A record of an earlier version does not name the kind.
        const kind = before?.provider ?? site.provider;
        if (before === undefined || (before.site === site.name && kind === site.provider)) return [];
        return [
          problemText(machinePath(machine), `site ${site.name}, ${site.provider}`, {
            allowed: `${before.site}, ${kind}, where ${machine.name} is deployed`,
            fix: "give the machines of the new site names of their own: they join before the old ones leave",
          }),
        ];
      }),
    ),
};
