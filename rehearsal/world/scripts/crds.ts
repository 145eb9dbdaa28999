import { DURATIONS } from "../durations.ts";
import { ScriptFailure, type ScriptRun } from "../script-run.ts";

/** What components/platform/scripts/crds.sh does through a server of the cluster. */
export async function crds(run: ScriptRun): Promise<void> {
  const [name, version] = [run.need("NAME"), run.need("VERSION")];
  if (run.action !== "apply") throw new ScriptFailure([`unknown action ${run.action}`]);
  const { cluster } = run.host.k3s;
  if (cluster !== undefined && cluster.ca.trim() !== run.need("SERVER_CA").trim()) {
    throw new ScriptFailure(["this host is no server of this cluster"], 69);
  }
  if (cluster?.apiUp() !== true) {
    throw new ScriptFailure(["the API of this server does not answer"], 69);
  }
  if (run.host.wrongDownloads && /^[0-9a-f]{64} /m.test(run.need("FILES"))) {
    throw new ScriptFailure([`checksum of the CRDs of ${name} ${version} does not match; nothing was applied`]);
  }
  await run.step(DURATIONS.crds, {
    text: `CRDs of ${name} ${version} applied`,
    apply: () => {
      cluster.crds.set(name, version);
    },
  });
  run.output.push(`CRDs of ${name} ${version} applied`);
}
