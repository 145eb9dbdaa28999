import { DURATIONS } from "../durations.ts";
import { ScriptFailure, type ScriptRun } from "../script-run.ts";

/** What components/bootstrap/scripts/host-baseline.sh does to a host. Time, updates and metadata are not simulated. */
export async function hostBaseline(run: ScriptRun): Promise<void> {
  if (run.action !== "prepare") throw new ScriptFailure([`unknown action ${run.action}`]);
  const { host, node } = run;
  const ours = `region=${run.need("REGION")} machine=${node} generation=${run.need("GENERATION")}`;
  const key = run.need("AUTHORIZED_KEY");
  await run.step(DURATIONS.host);
  if (host.claim !== undefined && host.claim !== ours) {
    throw new ScriptFailure([
      `this is not the machine that ${node} is: found ${host.claim.split(" owner=")[0] ?? ""} · allowed ${ours}`,
      "fix: find out who answers at this address; a higher generation makes the machine anew",
    ]);
  }
  host.claim = ours;
  if (host.authorizedKeys?.has(key) !== true || host.authorizedKeys.size !== 1) {
    await run.step(0, {
      text: "login set",
      apply: () => {
        host.authorizedKeys = new Set([key]);
      },
    });
  }
  run.output.push(`ready: region=${run.need("REGION")} machine=${node}`);
}
