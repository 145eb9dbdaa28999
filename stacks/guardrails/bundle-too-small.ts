import { bundleOf } from "../../components/lightsail/catalog.ts";
import { problemText } from "../settings/problem.ts";
import { type Guardrail, machinePath, machinesOf } from "./guardrail.ts";

/** k3s's own minimum for a server; etcd beside it wants the double. https://docs.k3s.io/installation/requirements */
const LEAST_MEMORY_GIB = { server: 4, agent: 1 };
/** Below, a server that starts uses up its credits, and etcd then misses its heartbeats. Percent of one CPU. */
const LEAST_BASELINE = { server: 40, agent: 20 };

/** A bundle is large enough for what runs on it all the time. */
export const bundleTooSmall: Guardrail = {
  id: "bundle-too-small",
  reason:
    "a bundle that is always above its CPU baseline, or out of memory, throttles etcd: the region loses its leader",
  severity: "ask",
  check: (settings) =>
    machinesOf(settings).flatMap((machine) => {
      const bundle = "bundle" in machine ? bundleOf(machine.bundle) : undefined;
      if (bundle === undefined || !("bundle" in machine)) return [];
      const baseline = bundle.cpus * bundle.baselinePercent;
      const [memory, least] = [LEAST_MEMORY_GIB[machine.role], LEAST_BASELINE[machine.role]];
      if (bundle.memoryGiB >= memory && baseline >= least) return [];
      const found = `${machine.bundle}: ${bundle.memoryGiB} GiB, and ${baseline} % of a CPU for ever`;
      return [
        problemText(`${machinePath(machine)}.bundle`, found, {
          allowed: `at least ${memory} GiB and ${least} % for role ${machine.role}`,
          fix: `take ${machine.role === "server" ? "medium_3_0 or larger; large_3_0 where agents or releases are many" : "small_3_0 or larger"}`,
        }),
      ];
    }),
};
