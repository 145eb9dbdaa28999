import { ScriptFailure } from "../script-run.ts";
import type { LocalScriptRun } from "./local-script-run.ts";

/** How long the API takes for an action. Seconds, an estimate. */
const ACTION_SECONDS = 1;

/** HTTP status of a server that is gone. */
const NOT_FOUND = 404;

/** What components/hetzner/scripts/server-protection.sh does to the cloud. */
export async function serverProtection(run: LocalScriptRun): Promise<void> {
  const { protectedServers } = run.world.cloud;
  const [node, id] = [run.need("NODE_NAME"), run.need("SERVER_ID")];
  const there = protectedServers.has(id);
  if (run.action === "protect") {
    if (!there) {
      throw new ScriptFailure([
        `the Hetzner Cloud API answered ${NOT_FOUND} to the protection of ${node}: server not found`,
        "fix: may the token write, and is it one of this project? then run again",
      ]);
    }
    await run.step(ACTION_SECONDS, { text: "protected", apply: () => protectedServers.set(id, true) });
    run.output.push(`${node} is protected against deletion and rebuild`);
    return;
  }
  if (run.action !== "lift") throw new ScriptFailure([`unknown action ${run.action}`]);
  if (!there) {
    await run.step(ACTION_SECONDS);
    run.output.push(`${node} is gone already`);
    return;
  }
  await run.step(ACTION_SECONDS, { text: "protection lifted", apply: () => protectedServers.set(id, false) });
  run.output.push(`the protection of ${node} is lifted`);
}
