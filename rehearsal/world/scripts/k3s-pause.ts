import { DURATIONS } from "../durations.ts";
import { ScriptFailure, type ScriptRun } from "../script-run.ts";

/** What components/k3s/scripts/k3s-pause.sh does through a server of the cluster. */
export async function k3sPause(run: ScriptRun): Promise<void> {
  if (run.action !== "pause") throw new ScriptFailure([`unknown action ${run.action}`]);
  const cluster = run.host.k3s.cluster;
  if (cluster?.runs(run.host) !== true || !cluster.apiUp()) {
    throw new ScriptFailure(["the API of this server does not answer"], 69);
  }
  const name = run.need("NODE_NAME");
  await run.step(0);
  const node = cluster.nodes.get(name);
  if (node === undefined) {
    run.output.push(`${name} is not in the cluster: nothing to take off it`);
    return;
  }
  if (node.shape === run.need("SHAPE")) {
    run.output.push(`${name} has ${node.shape} already`);
    return;
  }
  const unwell = [...cluster.members.keys()].filter((member) => member !== name && !cluster.ready(member));
  if (run.need("ROLE") === "server" && unwell.length > 0) {
    throw new ScriptFailure([
      `restarting ${name} would break etcd: ${unwell.join(" ")} is not well · allowed no other server out while one restarts`,
      "fix: bring it back first (kubectl get nodes -l node-role.kubernetes.io/etcd), then run again",
    ]);
  }
  await run.step(DURATIONS.drain, {
    text: `${name} drained`,
    apply: () => {
      node.paused = !node.cordoned;
      node.cordoned = true;
    },
  });
  run.output.push(`${name} is drained`);
}
