import { spawn } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  commandError,
  type CommandBackend,
  type CommandOutput,
  type CommandRun,
  type Hop,
  type RemoteRun,
} from "./backend.ts";
import { shellQuote } from "../../components/host/command-text.ts";

/** How a child process ended. */
interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams in the order in which they came. */
  readonly both: string;
}

/** Pauses between dials: the plugin's own, https://github.com/pulumi/pulumi/blob/v3.259.0/sdk/go/common/util/retry/until.go */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/** OpenSSH's exit code for everything that is not the remote command's own. */
const SSH_FAILED = 255;

const trimmed = (text: string): string => (text.endsWith("\n") ? text.slice(0, -1) : text);

/** Runs a program to its end. A cancelled or timed-out run ends it with all processes that it started. */
function execute(command: readonly string[], run: CommandRun & { readonly directory?: string }, signal: AbortSignal) {
  return new Promise<Ended>((resolve, reject) => {
    const child = spawn(command[0] ?? "", command.slice(1), {
      cwd: run.directory,
      env: { ...process.env, ...run.environment },
      // A process group of its own, so that what it started can be ended with it.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const kill = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    };
    const [stdout, stderr, both]: [Buffer[], Buffer[], Buffer[]] = [[], [], []];
    child.stdout.on("data", (chunk: Buffer) => {
      stdout.push(chunk);
      both.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr.push(chunk);
      both.push(chunk);
    });
    // A program that ends without reading its input is no error of ours.
    child.stdin.on("error", () => undefined);
    child.stdin.end(run.stdin);
    child.on("error", reject);
    child.on("close", (code, ended) => {
      signal.removeEventListener("abort", kill);
      const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString("utf8");
      resolve({ code, signal: ended, stdout: text(stdout), stderr: text(stderr), both: text(both) });
    });
    if (signal.aborted) kill();
    signal.addEventListener("abort", kill, { once: true });
  });
}

/** Aborted by the engine's cancel or by the step's timeout, whichever comes first. */
function limited({ signal, timeoutSeconds }: CommandRun): AbortSignal {
  if (timeoutSeconds === undefined) return signal;
  return AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]);
}

const outputOf = (ended: Ended): CommandOutput => ({ stdout: trimmed(ended.stdout), stderr: trimmed(ended.stderr) });

async function local(run: Parameters<CommandBackend["local"]>[0]): Promise<CommandOutput> {
  const ended = await execute([...run.interpreter, run.text], run, limited(run));
  if (ended.code === 0) return outputOf(ended);
  const reason = ended.signal === null ? `exit status ${ended.code ?? 1}` : `signal: ${words(ended.signal)}`;
  throw commandError(reason, run.text, ended.both);
}

const words = (signal: NodeJS.Signals): string =>
  ({ SIGKILL: "killed", SIGTERM: "terminated", SIGINT: "interrupt" })[signal as string] ?? signal;

/** Options of one hop: this key, the one pinned host key, nothing from the user's own configuration. */
async function hopOptions(folder: string, name: string, hop: Hop): Promise<string[]> {
  const [key, known] = [join(folder, `${name}-key`), join(folder, `${name}-known`)];
  await writeFile(key, hop.privateKey === undefined ? "" : `${hop.privateKey.trimEnd()}\n`, { mode: 0o600 });
  await chmod(key, 0o600);
  await writeFile(known, hop.hostKey === undefined ? "" : `${name} ${hop.hostKey}\n`);
  const type = hop.hostKey?.trim().split(/\s+/)[0];
  const algorithms = type === "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type;
  return [
    ...["-F", "/dev/null", "-i", key, "-p", String(hop.port), "-l", hop.user],
    ...["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"],
    ...["-o", `StrictHostKeyChecking=${hop.hostKey === undefined ? "no" : "yes"}`, "-o", `HostKeyAlias=${name}`],
    ...["-o", `UserKnownHostsFile=${known}`, "-o", "GlobalKnownHostsFile=/dev/null"],
    ...(algorithms === undefined ? [] : ["-o", `HostKeyAlgorithms=${algorithms}`]),
    ...(hop.perDialTimeout > 0 ? ["-o", `ConnectTimeout=${hop.perDialTimeout}`] : []),
    ...["-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"],
  ];
}

/** The command of a connection, without what is to run there. */
async function sshCommand(folder: string, { proxy, ...target }: RemoteRun["connection"]): Promise<string[]> {
  const options = await hopOptions(folder, "target", target);
  if (proxy === undefined) return ["ssh", ...options, target.host];
  const jump = ["ssh", ...(await hopOptions(folder, "jump", proxy)), "-W", "[%h]:%p", proxy.host];
  // ssh expands % in a ProxyCommand; only the address may be.
  const quoted = jump.map((word) => (word === "[%h]:%p" ? word : shellQuote(word.replaceAll("%", "%%"))));
  return ["ssh", ...options, "-o", `ProxyCommand=${quoted.join(" ")}`, target.host];
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

/** Dials until the host answers, as often as the plugin would: without a limit until the step's own timeout. */
async function connect(ssh: readonly string[], run: RemoteRun, signal: AbortSignal): Promise<void> {
  const probe: CommandRun = { ...run, stdin: "", environment: {} };
  let pause = FIRST_PAUSE;
  for (let failures = 0; ;) {
    const ended = await execute([...ssh, "true"], probe, signal);
    if (ended.code !== SSH_FAILED && ended.signal === null) return;
    failures++;
    const { dialErrorLimit } = run.connection;
    if (signal.aborted) throw new Error(run.signal.aborted ? "context canceled" : "context deadline exceeded");
    if (dialErrorLimit >= 0 && failures > dialErrorLimit) {
      throw new Error(`after ${failures - 1} failed attempts: ${lastLine(ended.stderr)}`);
    }
    await sleep(pause, undefined, { signal }).catch(() => undefined);
    pause = Math.min(pause * 1.5, LONGEST_PAUSE);
  }
}

async function remote(run: RemoteRun): Promise<CommandOutput> {
  const folder = await mkdtemp(join(tmpdir(), "hybrid-k3s-ssh-"));
  const signal = limited(run);
  try {
    const ssh = await sshCommand(folder, run.connection);
    await connect(ssh, run, signal);
    const assignments = Object.entries(run.environment).map(([name, value]) => `export ${name}=${shellQuote(value)}\n`);
    // The plugin's time-out ends its dialling, not what runs on the host; only a cancel ends the client here.
    const ended = await execute([...ssh, assignments.join("") + run.text], { ...run, environment: {} }, run.signal);
    if (ended.code === 0) return outputOf(ended);
    if (ended.code === null || ended.code === SSH_FAILED) {
      throw commandError("wait: remote command exited without exit status or exit signal", run.text, ended.both);
    }
    throw commandError(`Process exited with status ${ended.code}`, run.text, ended.both);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Commands for real: local ones in a shell of this computer, remote ones through its OpenSSH client. What they do is
 * not simulated and not undone.
 */
export const realCommands = (): CommandBackend => ({ local, remote });
