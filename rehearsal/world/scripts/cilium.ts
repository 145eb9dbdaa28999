import type { Cluster } from "../cluster.ts";
import { DURATIONS } from "../durations.ts";
import { ScriptFailure, type ScriptRun } from "../script-run.ts";

/** The cluster that a script works on; another server is to do it where this one cannot. */
function clusterOf(run: ScriptRun): Cluster {
  const { cluster } = run.host.k3s;
  if (cluster !== undefined && cluster.ca.trim() !== run.need("SERVER_CA").trim()) {
    throw new ScriptFailure(["this host is no server of this cluster"], 69);
  }
  if (cluster === undefined || run.host.k3s.role !== "server" || !cluster.runs(run.host) || !cluster.apiUp()) {
    throw new ScriptFailure(["the API of this server does not answer"], 69);
  }
  return cluster;
}

/** What components/k3s/scripts/cni-cilium.sh does through a server of the cluster. */
export async function cniCilium(run: ScriptRun): Promise<void> {
  const [version, seconds] = [run.need("VERSION"), run.need("WAIT_SECONDS")];
  run.need("CHART");
  if (run.action !== "apply") throw new ScriptFailure([`unknown action ${run.action}`]);
  const cluster = clusterOf(run);
  if (run.world.faults.chartsUnreachable) {
    run.spend(Number(seconds));
    throw new ScriptFailure([
      `Cilium ${version} was not installed: its job has not succeeded after ${seconds} s`,
      'Error: looks like "https://helm.cilium.io/" is not a valid chart repository or cannot be reached',
      "try: k3s kubectl -n kube-system describe helmchart cilium; k3s kubectl -n kube-system logs job/helm-install-cilium; then run again",
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
