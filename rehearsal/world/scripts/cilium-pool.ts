import { DURATIONS } from "../durations.ts";
import { ScriptFailure, type ScriptRun } from "../script-run.ts";
import { clusterOf } from "./server-cluster.ts";

/** What components/k3s/scripts/cilium-pool.sh does through a server of the cluster. */
export async function ciliumPool(run: ScriptRun): Promise<void> {
  const [objects, seconds] = [run.need("OBJECTS"), run.need("WAIT_SECONDS")];
  const cluster = clusterOf(run);
  if (run.action !== "apply" && run.action !== "remove") throw new ScriptFailure([`unknown action ${run.action}`]);
  if (run.action === "apply" && cluster.cilium === undefined) {
    run.spend(Number(seconds));
    throw new ScriptFailure([`Cilium does not know pools of addresses after ${seconds} s`]);
  }
  const wanted = run.action === "apply" ? objects : undefined;
  await run.step(DURATIONS.object, {
    text: wanted === undefined ? "pool of addresses removed" : "pool of addresses applied",
    apply: () => {
      cluster.addressPool = wanted;
    },
  });
  run.output.push(wanted === undefined ? "the pool of addresses is gone" : "the pool of addresses is there");
}
