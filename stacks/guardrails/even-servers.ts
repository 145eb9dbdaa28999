import { problemText } from "../settings/problem.ts";
import { type Guardrail, serversOf } from "./guardrail.ts";

/** etcd needs a majority: four servers stand the loss of one, as three do, and two stand the loss of none. */
export const evenServers: Guardrail = {
  id: "even-servers",
  reason: "an even number of servers stands no more failures than one server fewer, and has one more that can fail",
  severity: "ask",
  check: (settings) => {
    const { length } = serversOf(settings);
    if (length === 0 || length % 2 === 1) return [];
    const fix = `run ${length + 1} servers, or ${length - 1}`;
    return [problemText("sites", `${length} servers`, { allowed: "an odd number of servers", fix })];
  },
};
