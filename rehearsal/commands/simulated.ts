import { parseCommandText, type ScriptCall } from "../../components/host/command-text.ts";
import { LOCAL_BEHAVIOURS } from "../world/local-scripts/behaviours.ts";
import { LocalScriptKilled, LocalScriptRun } from "../world/local-scripts/local-script-run.ts";
import { BEHAVIOURS } from "../world/scripts/behaviours.ts";
import { ScriptFailure, ScriptRun, SessionDropped } from "../world/script-run.ts";
import { keyWords, takesKey, type Host } from "../world/host.ts";
import { DURATIONS } from "../world/durations.ts";
import type { World } from "../world/world.ts";
import { commandError, type CommandBackend, type CommandOutput, type CommandRun, type RemoteRun } from "./backend.ts";
import { reachFirst } from "./station.ts";

/** The scripts' own time-outs; a script that is called without a limit has an hour. */
const HOUR = 3600;

const SECRET = /^([A-Z][A-Z0-9_]*)=\$\(printf %s '([A-Za-z0-9+/=]*)' \| base64 -d\b/gm;

/** The secrets that a script gets on standard input, in front of its program. */
export function secretsOf(stdin: string): Record<string, string> {
  return Object.fromEntries(
    [...stdin.matchAll(SECRET)].map(([, name, value]) => [name ?? "", Buffer.from(value ?? "", "base64").toString()]),
  );
}

/** Scripts of this computer reach no host: they have none to name. */
const staysHere = (call: ScriptCall): boolean => call.parameters["TARGETS"] === undefined;

/** Reads a command back into its call. */
function callOf(run: CommandRun, isLocal: (call: ScriptCall) => boolean): ScriptCall {
  const call = parseCommandText(run.text);
  if (call === undefined) {
    const first = run.text.split("\n", 1)[0] ?? "";
    throw new Error(`the rehearsal has no behaviour for a command that is not one of the project's scripts: ${first}`);
  }
  if ((isLocal(call) ? LOCAL_BEHAVIOURS : BEHAVIOURS)[call.script] === undefined) {
    throw new Error(`the rehearsal has no behaviour for the script ${call.script} (resource ${run.resource})`);
  }
  return call;
}

/** What running a script on a host came to. */
export interface Played {
  readonly lines: readonly string[];
  readonly errors: readonly string[];
  /** Exit code; undefined where the session broke. */
  readonly code: number | undefined;
  readonly seconds: number;
}

/** Plays a script on a host of the world; scripts that take the same lock on a host wait for each other. */
export async function playScript(
  world: World,
  host: Host,
  call: ScriptCall & { readonly limitSeconds: number },
  run: Pick<CommandRun, "resource" | "signal">,
): Promise<Played> {
  const lock = call.parameters["LOCK"] ?? "hybrid-k3s";
  const before = host.busy.get(lock);
  let leave = (): void => undefined;
  host.busy.set(lock, new Promise<void>((resolve) => (leave = resolve)));
  await before;
  const script = new ScriptRun(world, host, { ...call, resource: run.resource, signal: run.signal });
  script.record("begin", "");
  try {
    await BEHAVIOURS[call.script]?.(script);
    script.record("end", "done");
    return { lines: script.output, errors: [], code: 0, seconds: script.elapsed };
  } catch (error) {
    script.record("end", error instanceof Error ? error.message : String(error));
    if (error instanceof ScriptFailure) {
      return { lines: script.output, errors: error.message.split("\n"), code: error.code, seconds: script.elapsed };
    }
    if (error instanceof SessionDropped) {
      return { lines: script.output, errors: [], code: undefined, seconds: script.elapsed };
    }
    throw error;
  } finally {
    leave();
  }
}

const output = (played: Played): CommandOutput => ({
  stdout: played.lines.join("\n"),
  stderr: played.errors.join("\n"),
});

/** Plays a script on this computer. */
async function playHere(world: World, call: ScriptCall, run: CommandRun): Promise<Played> {
  const { resource, signal, timeoutSeconds: limitSeconds = HOUR } = run;
  const parameters = { ...call.parameters, ...secretsOf(run.stdin) };
  const script = new LocalScriptRun(world, { ...call, parameters, resource, signal, limitSeconds });
  script.record("begin", "");
  try {
    await LOCAL_BEHAVIOURS[call.script]?.(script);
    script.record("end", "done");
    return { lines: script.output, errors: [], code: 0, seconds: script.elapsed };
  } catch (error) {
    script.record("end", error instanceof Error ? error.message : String(error));
    if (error instanceof LocalScriptKilled) throw commandError("signal: killed", run.text, script.output.join("\n"));
    if (!(error instanceof ScriptFailure)) throw error;
    return { lines: script.output, errors: error.message.split("\n"), code: error.code, seconds: script.elapsed };
  }
}

/** Plays a script on the first host that it can reach. */
function playOverSsh(world: World, call: ScriptCall, run: CommandRun): Promise<Played> {
  const inner = secretsOf(secretsOf(run.stdin)["REMOTE_PROGRAM"] ?? "");
  return reachFirst(world, { ...call, parameters: { ...call.parameters, ...inner } }, run);
}

/** Commands in the simulated world: scripts are played by name and parameters, nothing leaves this process. */
export function simulatedCommands(world: World): CommandBackend {
  const note = (resource: string, seconds: number): void => {
    world.durations.set(resource, (world.durations.get(resource) ?? 0) + seconds);
  };
  return {
    local: async (run) => {
      const call = callOf(run, staysHere);
      const played = await (staysHere(call) ? playHere : playOverSsh)(world, call, run);
      note(run.resource, played.seconds);
      const text = [...played.lines, ...played.errors].map((line) => `${line}\n`).join("");
      if (played.code !== 0) throw commandError(`exit status ${played.code ?? 1}`, run.text, text);
      return output(played);
    },
    remote: async (run) => {
      const call = callOf(run, () => false);
      const { host, seconds } = dial(world, run);
      const limit = /timeout -k 10 (\d+) bash -s/.exec(run.text)?.[1];
      const parameters = { ...call.parameters, ...secretsOf(run.stdin) };
      const played = await playScript(
        world,
        host,
        { ...call, parameters, limitSeconds: limit === undefined ? HOUR : Number(limit) },
        run,
      );
      note(run.resource, seconds + played.seconds);
      const text = [...played.lines, ...played.errors].map((line) => `${line}\n`).join("");
      if (played.code === undefined) {
        throw commandError("wait: remote command exited without exit status or exit signal", run.text, text);
      }
      if (played.code !== 0) throw commandError(`Process exited with status ${played.code}`, run.text, text);
      return output(played);
    },
  };
}

/**
 * The plugin's own dialling: it retries whatever goes wrong, a wrong host key too, until its limit; without a limit
 * until the step's timeout, and then says nothing but that. https://github.com/pulumi/pulumi-command/blob/v1.2.1/provider/pkg/provider/remote/connection.go
 */
function dial(world: World, run: RemoteRun): { host: Host; seconds: number } {
  const { connection } = run;
  const host = world.at(connection.host, connection.port, connection.proxy);
  const jump = connection.proxy === undefined ? undefined : world.at(connection.proxy.host, connection.proxy.port);
  const budget = run.timeoutSeconds ?? Infinity;
  const at = `${connection.host}:${connection.port}`;
  const problem = (): string | undefined => {
    if (connection.proxy !== undefined && (jump?.alive !== true || !jump.sshUp))
      return `dial tcp ${connection.proxy.host}:${connection.proxy.port}: i/o timeout`;
    if (host?.alive !== true || (host.firewalled && !world.isInMesh(host, connection.host)))
      return `dial tcp ${at}: i/o timeout`;
    if (!host.sshUp || host.bootSeconds > budget) return `dial tcp ${at}: connect: connection refused`;
    if (connection.hostKey !== undefined && keyWords(connection.hostKey) !== host.hostKey)
      return "ssh: handshake failed: ssh: host key mismatch";
    if (!takesKey(host, connection.privateKey ?? ""))
      return "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain";
    return undefined;
  };
  const found = problem();
  if (found !== undefined || host === undefined) {
    if (connection.dialErrorLimit < 0) throw new Error("context deadline exceeded");
    throw new Error(`after ${connection.dialErrorLimit} failed attempts: ${found ?? "no such host"}`);
  }
  const waited = host.bootSeconds;
  host.bootSeconds = 0;
  return { host, seconds: waited + DURATIONS.ssh };
}
