import { DURATIONS } from "../durations.ts";
import { ScriptFailure, type ScriptRun } from "../script-run.ts";
import { clusterOf } from "./server-cluster.ts";

const JOB = "helm-install-cilium";
const LATE = "its job has not succeeded after";

/** What components/k3s/scripts/cni-cilium.sh does through a server of the cluster. */
export async function cniCilium(run: ScriptRun): Promise<void> {
  const [version, seconds] = [run.need("VERSION"), run.need("WAIT_SECONDS")];
  run.need("CHART");
  if (run.action !== "apply") throw new ScriptFailure([`unknown action ${run.action}`]);
  const cluster = clusterOf(run);
  if (run.world.faults.chartsUnreachable) {
    run.spend(Number(seconds));
    throw new ScriptFailure([
      `Cilium ${version} was not installed: ${LATE} ${seconds} s`,
      'Error: looks like "https://helm.cilium.io/" is not a valid chart repository or cannot be reached',
      `try: k3s kubectl -n kube-system describe helmchart cilium; k3s kubectl -n kube-system logs job/${JOB}; then run again`,
    ]);
  }
  await run.step(DURATIONS.cilium, {
    text: `Cilium ${version} installed`,
    apply: () => {
      cluster.cilium = version;
    },
  });
  run.output.push(`Cilium ${version} is installed`);
}
