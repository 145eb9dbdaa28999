import { wipe } from "../host.ts";
import { DURATIONS } from "../durations.ts";
import { ScriptFailure, type ScriptRun } from "../script-run.ts";

/** What a claim says: whose the host is, and of which generation. */
interface Claim {
  readonly named: string;
  readonly whose: string;
  readonly whole: string;
}

const nameIn = (claim: string): string => claim.split(" owner=")[0] ?? "";
const isOf = (claim: string | undefined, { whose }: Claim): boolean =>
  claim?.startsWith(`${whose} generation=`) === true;

/** What components/existing/scripts/existing-host.sh does to a host. */
export async function existingHost(run: ScriptRun): Promise<void> {
  const named = `region=${run.need("REGION")} machine=${run.need("NODE_NAME")}`;
  const whose = `${named} owner=${run.need("OWNER")}`;
  const ours: Claim = { named, whose, whole: `${whose} generation=${run.need("GENERATION")}` };
  const actions: Readonly<Record<string, () => Promise<void>>> = {
    claim: () => claim(run, ours),
    verify: () => verify(run, ours),
    release: () => release(run, ours),
  };
  const action = actions[run.action];
  if (action === undefined) throw new ScriptFailure([`unknown action ${run.action}`]);
  await action();
}

async function claim(run: ScriptRun, ours: Claim): Promise<void> {
  const { host } = run;
  await run.step(DURATIONS.host);
  if (host.claim !== ours.whole && isOf(host.claim, ours)) await release(run, ours);
  else if (host.claim !== undefined && host.claim !== ours.whole) {
    throw new ScriptFailure([
      `this host is in use already: found ${nameIn(host.claim)} of another stack · allowed no claim, or this stack's`,
      "fix: remove it from the other stack first · if this stack's state was lost: restore it (pulumi stack import), or, if nothing on the host is needed, delete /etc/hybrid-k3s/machine there",
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
        host.claim = ours.whole;
      },
    });
  }
  run.output.push(`claimed for ${ours.named}`);
}

async function verify(run: ScriptRun, ours: Claim): Promise<void> {
  await run.step(DURATIONS.host);
  const { claim: found } = run.host;
  const node = run.need("NODE_NAME");
  if (found === undefined) {
    throw new ScriptFailure([
      `this is not the host that ${node} was: it carries no claim · fix: raise the generation of ${node} to move the node to this host`,
    ]);
  }
  if (found !== ours.whole) {
    throw new ScriptFailure([
      `this is not the host that ${node} was: found ${nameIn(found)} · allowed this stack's claim for ${node} · fix: correct the address`,
    ]);
  }
  run.output.push(`still ${ours.named}`);
}

async function release(run: ScriptRun, ours: Claim): Promise<void> {
  const { host } = run;
  await run.step(DURATIONS.host);
  if (!isOf(host.claim, ours)) {
    run.output.push("nothing of this stack is on this host");
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
  run.output.push(`clean: k3s and everything of ${ours.named} is gone`);
}
