import { spawn } from "node:child_process";
import type { Finished } from "./run.ts";

/** What a login takes. */
export interface Login {
  readonly address: string;
  readonly user: string;
  /** File with the private key. */
  readonly identity: string;
  /** The one host key that is accepted, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

/** A running ssh: its result, and a way to cut it. */
export interface Session {
  readonly finished: Promise<Finished>;
  /** Ends the local ssh process at once, as a lost network or a killed `pulumi up` does. */
  readonly cut: () => void;
}

/** Options that leave nothing to this machine's own ssh configuration. */
export function sshArguments({ address, user, identity, hostKey }: Login): string[] {
  const options = {
    BatchMode: "yes",
    ConnectTimeout: "5",
    GlobalKnownHostsFile: "/dev/null",
    IdentitiesOnly: "yes",
    // The accepted key stands in the command itself: no file to keep in step.
    KnownHostsCommand: `/bin/echo ${address} ${hostKey}`,
    ServerAliveCountMax: "3",
    ServerAliveInterval: "5",
    StrictHostKeyChecking: "yes",
    UpdateHostKeys: "no",
    UserKnownHostsFile: "/dev/null",
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  return ["-F", "none", "-i", identity, ...flags, `${user}@${address}`];
}

/** Starts a command on a host. */
export function openSession(login: Login, command: string, input = ""): Session {
  const child = spawn("ssh", [...sshArguments(login), command], { stdio: ["pipe", "pipe", "pipe"] });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => (texts[name] += text));
  }
  // A host that dies closes the pipe under our hands; the exit code tells the story.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const finished = new Promise<Finished>((resolve) => {
    child.on("error", (error) => resolve({ code: 255, stdout: texts.stdout, stderr: String(error) }));
    child.on("close", (code) => resolve({ code: code ?? 255, ...texts }));
  });
  return { finished, cut: () => child.kill("SIGKILL") };
}

/** Runs a command on a host and waits for it, for so many seconds at most. */
export async function execute(login: Login, command: string, seconds: number, input = ""): Promise<Finished> {
  const session = openSession(login, command, input);
  const timer = setTimeout(session.cut, seconds * 1000);
  const start = Date.now();
  const done = await session.finished;
  clearTimeout(timer);
  const late = Date.now() - start >= seconds * 1000;
  return late ? { ...done, stderr: `${done.stderr}\nended after ${seconds} s` } : done;
}
