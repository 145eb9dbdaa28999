import { problemText } from "../settings/problem.ts";
import { type Guardrail, machinesOf, statedAddress } from "./guardrail.ts";

/** A server moves to another address as another generation only. */
export const addressChanged: Guardrail = {
  id: "address-changed",
  reason: "a server's etcd member keeps the address it joined with: at another one k3s does not start any more",
  severity: "refuse",
  check: (settings, deployed) =>
    machinesOf(settings).flatMap((machine) => {
      const before = deployed?.nodes.find(({ name, role }) => name === machine.name && role === "server");
      const address = statedAddress(machine);
      if (before === undefined || address === undefined || machine.role !== "server") return [];
      if (before.generation !== machine.generation || before.address === address) return [];
      return [
        problemText(`sites.${machine.site}.pools.${machine.pool}.machines.${machine.name}.address`, address, {
          allowed: `${before.address}, where this generation joined`,
          fix: `raise generation to ${machine.generation + 1} in the same change: the server leaves and joins again`,
        }),
      ];
    }),
};
