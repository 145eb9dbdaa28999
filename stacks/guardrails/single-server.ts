import { problemText } from "../settings/problem.ts";
import { type Guardrail, serversOf } from "./guardrail.ts";

/** Warns of a cluster that one host carries. */
export const singleServer: Guardrail = {
  id: "single-server",
  reason: "with one server the API stops when it does, and its disk is the only copy of the cluster's data",
  severity: "warn",
  check: (settings) =>
    serversOf(settings).length === 1
      ? [
          problemText("sites", "1 server", {
            allowed: "3 servers or more where the cluster matters",
            fix: "add two servers on the same site",
          }),
        ]
      : [],
};
