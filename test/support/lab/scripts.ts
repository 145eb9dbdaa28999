import { spawn } from "node:child_process";
import type { Output } from "@pulumi/pulumi";
import { remoteCommandText, stationCommandText } from "../../../components/host/command-text.ts";
import type { ScriptCall, ScriptLimits } from "../../../components/host/command-text.ts";
import { scriptFile } from "../../../components/host/script-file.ts";
import type { ScriptFile } from "../../../components/host/script-file.ts";
import { scriptProgram } from "../../../components/host/script-program.ts";
import type { Lab } from "./lab.ts";
import type { Finished } from "./run.ts";
import type { Session } from "./ssh.ts";

const at = (path: string): ScriptFile => scriptFile(new URL(`../../../components/${path}`, import.meta.url));

/** The project's scripts. */
export const SCRIPTS = {
  baseline: at("bootstrap/scripts/host-baseline.sh"),
  host: at("existing/scripts/existing-host.sh"),
  node: at("k3s/scripts/k3s-node.sh"),
  member: at("k3s/scripts/k3s-member.sh"),
  pause: at("k3s/scripts/k3s-pause.sh"),
  crds: at("platform/scripts/crds.sh"),
  firewall: at("firewall/scripts/host-firewall.sh"),
};

const overSsh = at("host/scripts/over-ssh.sh");

/** Values that go by standard input. */
export type Secrets = Readonly<Record<string, string>>;

/** A run of a script. */
export interface ScriptRun {
  readonly script: ScriptFile;
  readonly action: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly secrets?: Secrets;
  /** @default 300 s for the script, 60 s for the lock */
  readonly limits?: ScriptLimits;
  /** Name of the lock that a station script holds on the host. @default "hybrid-k3s" */
  readonly lock?: string;
  /** What a station script is asked to do next, over a second connection. @default nothing */
  readonly confirmAction?: string;
}

/** How a station run finds its host. */
export interface Reach {
  /** Host names in order of preference. */
  readonly targets: readonly string[];
  /** Replaces the targets' own address. */
  readonly address?: string;
  /** Replaces the pinned host key. */
  readonly hostKey?: string;
  /** @default 20 */
  readonly connectSeconds?: number;
  /** @default "fail" */
  readonly unreachable?: "fail" | "leave";
  /** Login user. @default "root" */
  readonly user?: string;
  /** Private key text. @default the lab's */
  readonly privateKey?: string;
  /** Private key text, tried where the first is refused. @default none */
  readonly previousKey?: string;
  /** Whether a wrong host key and a refused login are waited for, as at a first boot. @default false */
  readonly booting?: boolean;
  /** A host that connections pass through. */
  readonly jump?: string;
}

const LIMITS: ScriptLimits = { timeoutSeconds: 300, lockSeconds: 60 };

/** The value of an output that is known; no engine is needed for one that holds a plain value. */
const plain = (output: Output<string>): Promise<string> =>
  new Promise((resolve) => {
    output.apply((value) => {
      resolve(value);
    });
  });

const callOf = ({ script, action, parameters }: ScriptRun): ScriptCall => ({ script: script.name, action, parameters });

/** Starts a script on a host with the very command and standard input that a remote command gets. */
export async function startOnHost(lab: Lab, host: string, run: ScriptRun): Promise<Session> {
  const text = remoteCommandText(callOf(run), run.limits ?? LIMITS);
  return lab.session(host, text, await plain(scriptProgram(run.script, run.secrets ?? {})));
}

/** Runs a script on a host and waits for it. */
export async function runOnHost(lab: Lab, host: string, run: ScriptRun): Promise<Finished> {
  return (await startOnHost(lab, host, run)).finished;
}

function targetLine(lab: Lab, name: string, reach: Reach): string {
  const { address, hostKey } = {
    ...lab.host(name),
    ...(reach.address === undefined ? {} : { address: reach.address }),
  };
  const jump = reach.jump === undefined ? undefined : lab.host(reach.jump);
  const user = reach.user ?? "root";
  return [
    `${name} ${user}@${address}:22 ${reach.hostKey ?? hostKey}`,
    ...(jump === undefined ? [] : [`${user}@${jump.address}:22 ${jump.hostKey}`]),
  ].join(" ");
}

/** Starts a station script on this computer, as a local command does. */
export async function startFromStation(lab: Lab, reach: Reach, run: ScriptRun): Promise<Session> {
  const { timeoutSeconds, lockSeconds } = run.limits ?? LIMITS;
  const parameters = {
    TARGETS: reach.targets.map((name) => targetLine(lab, name, reach)).join("\n"),
    CONNECT_SECONDS: String(reach.connectSeconds ?? 20),
    UNREACHABLE: reach.unreachable ?? "fail",
    ...(reach.booting === true ? { BOOTING: "yes" } : {}),
    ...(run.confirmAction === undefined ? {} : { CONFIRM_ACTION: run.confirmAction }),
    LOCK_SECONDS: String(lockSeconds),
    LOCK: run.lock ?? "hybrid-k3s",
    LIMIT_SECONDS: String(timeoutSeconds),
    SCRIPT: run.script.name,
    FORWARD: ["ACTION", ...Object.keys(run.parameters)].join(" "),
    ...run.parameters,
  };
  const stdin = scriptProgram(overSsh, {
    SSH_PRIVATE_KEY: reach.privateKey ?? lab.privateKey,
    ...(reach.previousKey === undefined ? {} : { PREVIOUS_SSH_PRIVATE_KEY: reach.previousKey }),
    REMOTE_PROGRAM: scriptProgram(run.script, run.secrets ?? {}),
  });
  const text = stationCommandText({ ...callOf(run), parameters });
  return startHere(text, await plain(stdin));
}

function startHere(text: string, input: string): Session {
  const child = spawn("/bin/bash", ["-c", text], { detached: true });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => (texts[name] += chunk));
  }
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const finished = new Promise<Finished>((resolve) => {
    child.on("close", (code) => resolve({ code: code ?? 255, ...texts }));
  });
  const cut = (): void => {
    // The whole group, as a terminal's Ctrl-C reaches it.
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  return { finished, cut };
}

/** Runs a station script and waits for it. */
export async function runFromStation(lab: Lab, reach: Reach, run: ScriptRun): Promise<Finished> {
  return (await startFromStation(lab, reach, run)).finished;
}
