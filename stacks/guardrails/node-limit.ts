import { nodeCapacity } from "../../components/network/cidr.ts";
import { problemText } from "../settings/problem.ts";
import { type Guardrail, machinesOf } from "./guardrail.ts";

/** There is a pod range for every node. */
export const nodeLimit: Guardrail = {
  id: "node-limit",
  reason: "every node takes a /24 of the pod range: a node that finds none left never becomes Ready",
  severity: "refuse",
  check: (settings) => {
    const { pods } = settings.plan;
    const [nodes, room] = [machinesOf(settings).length, nodeCapacity(pods)];
    if (nodes <= room) return [];
    return [
      problemText("sites", `${nodes} machines`, {
        allowed: `at most ${room}, as many /24 ranges as the pod range ${pods} holds`,
        fix: `remove machines, or give a region that is not deployed yet a wider pods range in regions.yaml`,
      }),
    ];
  },
};
