import type { Cluster } from "../cluster.ts";
import { ScriptFailure, type ScriptRun } from "../script-run.ts";

/** The cluster that a script works on; another server is to do it where this one cannot. */
export function clusterOf(run: ScriptRun): Cluster {
  const { cluster } = run.host.k3s;
  if (cluster !== undefined && cluster.ca.trim() !== run.need("SERVER_CA").trim()) {
    throw new ScriptFailure(["this host is no server of this cluster"], 69);
  }
  if (cluster === undefined || run.host.k3s.role !== "server" || !cluster.runs(run.host) || !cluster.apiUp()) {
    throw new ScriptFailure(["the API of this server does not answer"], 69);
  }
  return cluster;
}
