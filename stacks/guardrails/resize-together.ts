import { formatPath, problemText } from "../settings/problem.ts";
import { type Guardrail, machinesOf, statedShape } from "./guardrail.ts";

/** Machines whose size changes are drained and restarted, all of one update at the same time. */
export const resizeTogether: Guardrail = {
  id: "resize-together",
  reason: "every machine whose size changes is drained and restarted: together they leave the others all of their pods",
  severity: "ask",
  check: (settings, deployed) => {
    const resized = machinesOf(settings).filter((machine) => {
      const before = deployed?.nodes.find(
        ({ name, generation }) => name === machine.name && generation === machine.generation,
      );
      return before?.shape !== undefined && before.shape !== statedShape(machine);
    });
    if (resized.length < 2) return [];
    const names = resized.map(({ name }) => name).join(", ");
    return [
      problemText(formatPath(["sites"]), `${resized.length} machines of another size: ${names}`, {
        allowed: "one machine of another size per update",
        fix: `change ${resized[0]?.name ?? ""} alone first, then the next`,
      }),
    ];
  },
};
