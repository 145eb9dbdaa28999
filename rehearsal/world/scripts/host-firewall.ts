import { DURATIONS } from "../durations.ts";
import { ScriptFailure, type ScriptRun } from "../script-run.ts";

/**
 * What components/firewall/scripts/host-firewall.sh does to a host. Rules are kept as texts: whom they let in is not
 * simulated, a fault says whether they shut this computer out.
 */
export async function hostFirewall(run: ScriptRun): Promise<void> {
  run.need("NODE_NAME");
  const actions: Readonly<Record<string, (rules: string, seconds: string) => Promise<void>>> = {
    apply: (rules, seconds) => apply(run, rules, seconds),
    confirm: (rules) => confirm(run, rules),
    remove: () => remove(run),
  };
  const action = actions[run.action];
  if (action === undefined) throw new ScriptFailure([`unknown action ${run.action}`]);
  await action(run.need("RULES"), run.need("ROLLBACK_SECONDS"));
}

async function apply(run: ScriptRun, rules: string, seconds: string): Promise<void> {
  const { firewall } = run.host;
  await run.step(DURATIONS.host);
  if (firewall.rolledBack) {
    run.output.push(
      `the change of the firewall before this one was rolled back at a time that is not simulated: it was not confirmed over a new connection within its ${seconds} s`,
    );
    firewall.rolledBack = false;
  }
  if (firewall.confirmed === rules) {
    run.output.push("firewall: unchanged");
    return;
  }
  await run.step(DURATIONS.firewall, {
    text: "firewall changed",
    apply: () => {
      firewall.pending = rules;
      run.host.takeBack = () => {
        firewall.pending = undefined;
        firewall.rolledBack = true;
        return "firewall rolled back";
      };
    },
  });
  run.output.push(`firewall: changed, and taken back in ${seconds} s unless it is confirmed over a new connection`);
}

async function confirm(run: ScriptRun, rules: string): Promise<void> {
  const { firewall } = run.host;
  await run.step(DURATIONS.host);
  if (firewall.pending === undefined) {
    if (firewall.confirmed !== rules) throw new ScriptFailure(["the rules that are active are not the confirmed ones"]);
    run.output.push("firewall: the confirmed rules are active");
    return;
  }
  if (firewall.pending !== rules) {
    throw new ScriptFailure(["what waits to be confirmed is another change of the firewall"]);
  }
  await run.step(0, {
    text: "firewall confirmed",
    apply: () => {
      const before = firewall.confirmed;
      run.host.firewall = { confirmed: rules, pending: undefined, rolledBack: false };
      run.world.cloud.publicRules.changeHost(run.host, before, rules, run.resource);
      run.host.takeBack = undefined;
    },
  });
  run.output.push("firewall: confirmed");
}

async function remove(run: ScriptRun): Promise<void> {
  await run.step(DURATIONS.host, {
    text: "firewall removed",
    apply: () => {
      run.host.firewall = { confirmed: undefined, pending: undefined, rolledBack: false };
      run.host.takeBack = undefined;
    },
  });
  run.output.push("firewall: removed");
}
