import { wipe } from "../host.ts";
import { DURATIONS } from "../durations.ts";
import { ScriptFailure, type ScriptRun } from "../script-run.ts";

/** What components/existing/scripts/existing-host.sh does to a host. */
export async function existingHost(run: ScriptRun): Promise<void> {
  const ours = `region=${run.need("REGION")} machine=${run.need("NODE_NAME")}`;
  const actions: Readonly<Record<string, () => Promise<void>>> = {
    claim: () => claim(run, ours),
    verify: () => verify(run, ours),
    release: () => release(run, ours),
  };
  const action = actions[run.action];
  if (action === undefined) throw new ScriptFailure([`unknown action ${run.action}`]);
  await action();
}

async function claim(run: ScriptRun, ours: string): Promise<void> {
  const { host } = run;
  await run.step(DURATIONS.host);
  if (host.claim !== undefined && host.claim !== ours) {
    throw new ScriptFailure([
      `this host is in use already: found ${host.claim} · allowed ${ours}`,
      "fix: remove it from the other region first, or, if that region is gone, delete /etc/hybrid-k3s/machine on the host",
    ]);
  }
  if (host.claim === undefined && (host.foreignK3s || host.k3s.binary !== undefined || host.k3s.datastore)) {
    throw new ScriptFailure([
      "this host has a k3s that hybrid-k3s did not install (/usr/local/bin/k3s, /etc/rancher/k3s or /var/lib/rancher/k3s)",
      "fix: uninstall it (k3s-uninstall.sh or k3s-agent-uninstall.sh), or take another host; it is never adopted and never deleted",
    ]);
  }
  if (host.claim === undefined) {
    await run.step(0, {
      text: "claimed",
      apply: () => {
        host.claim = ours;
      },
    });
  }
  run.output.push(`claimed for ${ours}`);
}

async function verify(run: ScriptRun, ours: string): Promise<void> {
  await run.step(DURATIONS.host);
  const { claim: found } = run.host;
  const node = run.need("NODE_NAME");
  if (found === undefined) {
    throw new ScriptFailure([
      `this is not the host that ${node} was: it carries no claim · fix: raise the generation of ${node} to move the node to this host`,
    ]);
  }
  if (found !== ours) {
    throw new ScriptFailure([
      `this is not the host that ${node} was: found ${found} · allowed ${ours} · fix: correct the address`,
    ]);
  }
  run.output.push(`still ${ours}`);
}

async function release(run: ScriptRun, ours: string): Promise<void> {
  const { host } = run;
  await run.step(DURATIONS.host);
  if (host.claim !== ours) {
    run.output.push(`nothing of ${ours} is on this host`);
    return;
  }
  const installed = host.k3s.binary !== undefined || host.k3s.role !== undefined || host.k3s.datastore;
  await run.step(installed ? DURATIONS.uninstall : 0, {
    text: "k3s removed",
    apply: () => {
      wipe(host);
    },
  });
  await run.step(0, {
    text: "released",
    apply: () => {
      host.claim = undefined;
    },
  });
  run.output.push(`clean: k3s and everything of ${ours} is gone`);
}
