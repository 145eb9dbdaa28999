import type { Cluster, ClusterNode } from "../cluster.ts";
import { DURATIONS } from "../durations.ts";
import { ScriptFailure, type ScriptRun } from "../script-run.ts";

/** What components/k3s/scripts/k3s-member.sh does through a server of the cluster. */
export async function k3sMember(run: ScriptRun): Promise<void> {
  run.need("NODE_NAME");
  run.need("ROLE");
  const cluster = run.host.k3s.cluster;
  if (cluster !== undefined && cluster.ca.trim() !== run.need("SERVER_CA").trim()) {
    throw new ScriptFailure(["this host is no server of this cluster"], 69);
  }
  if (cluster === undefined || run.host.k3s.role !== "server" || !cluster.runs(run.host) || !cluster.apiUp()) {
    throw new ScriptFailure(["the API of this server does not answer"], 69);
  }
  if (run.action === "leave") await leave(run, cluster);
  else if (run.action === "join" || run.action === "converge") await join(run, cluster);
  else throw new ScriptFailure([`unknown action ${run.action}`]);
}

async function join(run: ScriptRun, cluster: Cluster): Promise<void> {
  const name = run.need("NODE_NAME");
  const seconds = run.need("READY_SECONDS");
  await run.step(0);
  const node = cluster.nodes.get(name);
  const wanted = run.need("VERSION");
  const version = node?.host.k3s.runningVersion;
  if (node === undefined || !cluster.ready(name) || version !== wanted) {
    run.spend(Number(seconds));
    const ready = node === undefined ? "unknown (no such Node)" : cluster.ready(name) ? "True" : "False";
    throw new ScriptFailure([
      `node ${name} is not in the cluster after ${seconds} s: Ready is ${ready}, EtcdIsVoter is ${node?.role === "server" ? "True" : "unknown"}, version is ${version ?? "unknown"} (allowed ${wanted})`,
      `try: kubectl describe node ${name}; journalctl -u k3s -u k3s-agent -e on that host; then run again`,
    ]);
  }
  const labels = new Map(lines(run.get("LABELS")).map((line): [string, string] => splitOnce(line, "=")));
  const taints = new Set(lines(run.get("TAINTS")));
  const text = describeMarks(node, labels, taints);
  await run.step(
    DURATIONS.marks,
    text === ""
      ? undefined
      : {
          text,
          apply: () => {
            setMarks(node, labels, taints);
          },
        },
  );
  await resume(run, node);
  run.output.push(`${name} is Ready`);
}

async function resume(run: ScriptRun, node: ClusterNode): Promise<void> {
  const shape = run.get("SHAPE");
  if (shape === "") return;
  if (node.paused === true) {
    await run.step(0, {
      text: `${node.name} uncordoned`,
      apply: () => {
        node.paused = false;
        node.cordoned = false;
      },
    });
  }
  node.shape = shape;
}

const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");
const splitOnce = (line: string, at: string): [string, string] => {
  const index = line.indexOf(at);
  return index < 0 ? [line, ""] : [line.slice(0, index), line.slice(index + 1)];
};

/** The world keeps only the labels and taints that we manage: those of others are not ours to touch. */
function describeMarks(node: ClusterNode, labels: ReadonlyMap<string, string>, taints: ReadonlySet<string>): string {
  const changes = [
    ...[...labels]
      .filter(([key, value]) => node.labels.get(key) !== value)
      .map(([key, value]) => `label ${key}=${value}`),
    ...[...node.labels.keys()].filter((key) => !labels.has(key)).map((key) => `label ${key} removed`),
    ...[...taints].filter((taint) => !node.taints.has(taint)).map((taint) => `taint ${taint}`),
    ...[...node.taints].filter((taint) => !taints.has(taint)).map((taint) => `taint ${taint} removed`),
  ];
  return changes.join(", ");
}

function setMarks(node: ClusterNode, labels: ReadonlyMap<string, string>, taints: ReadonlySet<string>): void {
  node.labels.clear();
  for (const [key, value] of labels) node.labels.set(key, value);
  node.taints.clear();
  for (const taint of taints) node.taints.add(taint);
}

async function leave(run: ScriptRun, cluster: Cluster): Promise<void> {
  const name = run.need("NODE_NAME");
  const node = cluster.nodes.get(name);
  let left = "";
  await run.step(0);
  if (node !== undefined) {
    if (node.role === "server") refuseQuorumLoss(cluster, name);
    await run.step(0, {
      text: `${name} cordoned`,
      apply: () => {
        node.cordoned = true;
      },
    });
    left = await drain(run, cluster, node);
    if (node.role === "server") {
      const seconds = node.rejoined ? DURATIONS.etcdRemovalRejoined : DURATIONS.etcdRemoval;
      await run.step(seconds, {
        text: `${name} taken out of etcd`,
        apply: () => {
          removeMember(cluster, node);
        },
      });
    }
    await run.step(DURATIONS.nodeDeletion, {
      text: `Node ${name} deleted`,
      apply: () => {
        cluster.nodes.delete(name);
      },
    });
  }
  await run.step(0, {
    text: `password of ${name} deleted`,
    apply: () => {
      cluster.passwords.delete(name);
    },
  });
  run.output.push(`${name} has left the cluster${left}`);
}

function refuseQuorumLoss(cluster: Cluster, name: string): void {
  const others = [...cluster.members.keys()].filter((member) => member !== name);
  const well = others.filter((member) => cluster.ready(member)).length;
  const needed = Math.floor(others.length / 2) + 1;
  if (others.length === 0) {
    throw new ScriptFailure([
      `${name} is the cluster's only server: its data would go with it · fix: add servers first, or destroy the stack`,
    ]);
  }
  if (well < needed) {
    throw new ScriptFailure([
      `taking ${name} out would break etcd: ${well} of the ${others.length} other servers are healthy · allowed ${needed} or more`,
      "fix: bring the other servers back first (kubectl get nodes -l node-role.kubernetes.io/etcd), then run again",
    ]);
  }
}

async function drain(run: ScriptRun, cluster: Cluster, node: ClusterNode): Promise<string> {
  if (!cluster.ready(node.name)) return " (it was not Ready, so nothing could be drained)";
  const budget = Number(run.need("DRAIN_SECONDS"));
  await run.step(node.podsStuck ? budget : Math.min(DURATIONS.drain, budget), {
    text: `${node.name} drained`,
    apply: () => undefined,
  });
  return node.podsStuck ? ` (pods that did not move within ${budget} s: 1)` : "";
}

/** k3s on a member that was removed stops, for it has no cluster any more. */
function removeMember(cluster: Cluster, node: ClusterNode): void {
  cluster.members.delete(node.name);
  cluster.removed.add(node.name);
  if (node.host.k3s.cluster === cluster) node.host.k3s.running = false;
}
