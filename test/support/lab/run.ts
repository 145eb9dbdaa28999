import { execFileSync, spawnSync } from "node:child_process";

/** What a finished command left behind. */
export interface Finished {
  /** Exit code; 255 where the command was ended by a signal or could not start. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MEBIBYTES_64 = 64 * 1024 * 1024;

/**
 * Runs a command and waits for it. Set-up and teardown are synchronous, so that the same teardown works in an exit handler.
 * @param seconds the time after which the command is killed
 * @throws Error with the command, its code and its standard error
 */
export function run(command: string, args: readonly string[], seconds: number, input = ""): string {
  try {
    return execFileSync(command, args, {
      input,
      encoding: "utf8",
      timeout: seconds * 1000,
      killSignal: "SIGKILL",
      maxBuffer: MEBIBYTES_64,
      stdio: ["pipe", "pipe", "pipe"],
    });
  } catch (error) {
    const { status, stderr, code } = error as { status?: number | null; stderr?: string; code?: string };
    const why = code === "ETIMEDOUT" ? `took over ${seconds} s` : `exit code ${status ?? "none"}`;
    throw new Error(`${command} ${args.join(" ").slice(0, 200)}: ${why}\n${(stderr ?? "").slice(-2000)}`, {
      cause: error,
    });
  }
}

/** Runs a command whose failure is fine: teardown goes on. */
export function attempt(command: string, args: readonly string[], seconds: number, input = ""): Finished {
  const done = spawnSync(command, args, {
    input,
    encoding: "utf8",
    timeout: seconds * 1000,
    killSignal: "SIGKILL",
    maxBuffer: MEBIBYTES_64,
  });
  return { code: done.status ?? 255, stdout: done.stdout, stderr: done.stderr };
}

/** Runs a bash program that stops at its first failing line. */
export function runShell(program: string, seconds: number): string {
  return run("bash", ["-euo", "pipefail", "-s"], seconds, program);
}

/** Waits without holding up the event loop. */
export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits and holds up the event loop: for exit handlers, where nothing else runs any more. */
export function pauseSynchronously(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/**
 * Asks again until the answer is there.
 * @param what ends the sentence "timed out waiting for …"
 * @param budget seconds in all, and between two questions
 */
export async function eventually<T>(
  what: string,
  budget: { readonly seconds: number; readonly every?: number },
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const end = Date.now() + budget.seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() >= end) throw new Error(`timed out waiting for ${what} (${budget.seconds} s)`);
    await pause((budget.every ?? 0.2) * 1000);
  }
}
