import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shellQuote } from "../../components/host/command-text.ts";
import type { Endpoint, Reached, Target } from "./evidence.ts";

/** A connection's end: what became of it, and what the host printed. */
export interface SshAnswer {
  readonly reached: Reached;
  readonly stdout: string;
}

/** A connection to make. */
export interface SshCall {
  readonly command: string;
  /** Goes to the command's standard input. */
  readonly input: string;
  /** The whole may take so long. Seconds. */
  readonly limitSeconds: number;
  /**
   * Called with all that the host has printed so far, whenever there is more. What it returns first goes to standard
   * input, which is closed then.
   * @default standard input is closed at once
   */
  readonly onOutput?: (stdout: string) => string | undefined;
}

/** An RSA key signs with a digest that has a name of its own: https://www.rfc-editor.org/rfc/rfc8332 */
const algorithmsOf = (type: string): string => (type === "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type);

/** SHA-256 fingerprint of a host key, as OpenSSH prints it. */
export function fingerprint(hostKey: string): string {
  const blob = Buffer.from(hostKey.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

const HOST_KEY = /REMOTE HOST IDENTIFICATION|Host key verification failed|no matching host key type/;
const LOGIN = /Permission denied|Too many authentication failures/;

/** The last word of OpenSSH that is no banner. Where a jump host is the reason, the connection has another last word. */
function lastWord(stderr: string): string {
  const lines = stderr.split(/\r?\n/).filter((line) => line !== "" && !/^(?:\*\*|Warning:|@)/.test(line));
  const telling = lines.filter((line) => !/UNKNOWN port 65535|^kex_exchange_identification/.test(line));
  return ((telling.length === 0 ? lines : telling).at(-1) ?? "").slice(0, 200);
}

/**
 * How a connection ended, by ssh's exit code and what it said.
 * @param code 255 is ssh's own; any other is the command's; undefined: it was ended from here
 */
export function phaseOf(target: Target, code: number | undefined, stderr: string): Reached {
  if (code === 0) return { phase: "ok" };
  const word = lastWord(stderr);
  if (code === undefined) return { phase: "probe", word: "it did not end in time" };
  if (code !== 255) return { phase: "probe", word: word === "" ? `it ended with ${code}` : word };
  if (HOST_KEY.test(stderr)) {
    const found = /SHA256:[\w+/=]+|Their offer: .*/.exec(stderr)?.[0] ?? "unknown";
    const at = target.jump !== undefined && stderr.includes("known-jump-") ? target.jump : target;
    return { phase: "host key", at, found };
  }
  return LOGIN.test(stderr) ? { phase: "login", word } : { phase: "tcp", word: word === "" ? "no answer" : word };
}

/**
 * This computer's OpenSSH with nothing of its user's configuration: these keys, and for each host the one that is pinned.
 * Keys are files in a folder of its own until it is closed.
 */
export class Ssh {
  readonly #folder = mkdtempSync(join(tmpdir(), "hybrid-k3s-doctor-"));
  readonly #identities: readonly string[];

  /** @param privateKeys in order of preference */
  constructor(privateKeys: readonly string[]) {
    this.#identities = privateKeys.flatMap((key, index) => {
      const path = join(this.#folder, `key-${index}`);
      writeFileSync(path, `${key.trimEnd()}\n`, { mode: 0o600 });
      return ["-i", path];
    });
  }

  /** Removes the keys from the disk. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs a command on a host. */
  async run(target: Target, call: SshCall): Promise<SshAnswer> {
    const proxy =
      target.jump === undefined ? [] : ["-o", `ProxyCommand=${this.#proxyCommand(target.name, target.jump)}`];
    const options = this.#options(`target-${target.name}`, target);
    const { code, stdout, stderr } = await converse([...options, ...proxy, target.host, call.command], call);
    return { reached: phaseOf(target, code, stderr), stdout };
  }

  #options(alias: string, { user, port, hostKey }: Endpoint): string[] {
    const known = join(this.#folder, `known-${alias}`);
    writeFileSync(known, `${alias} ${hostKey}\n`);
    const settings = {
      BatchMode: "yes",
      ConnectTimeout: "10",
      GlobalKnownHostsFile: "/dev/null",
      HostKeyAlgorithms: algorithmsOf(hostKey.split(" ")[0] ?? ""),
      HostKeyAlias: alias,
      IdentitiesOnly: "yes",
      IdentityAgent: "none",
      LogLevel: "INFO",
      ServerAliveCountMax: "4",
      ServerAliveInterval: "15",
      StrictHostKeyChecking: "yes",
      UpdateHostKeys: "no",
      UserKnownHostsFile: `"${known}"`,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    return ["-F", "/dev/null", ...this.#identities, ...flags, "-p", String(port), "-l", user];
  }

  /** ssh hands it to a shell behind an `exec`, and reads `%` itself. */
  #proxyCommand(name: string, jump: Endpoint): string {
    const words = ["ssh", ...this.#options(`jump-${name}`, jump)].map(shellQuote).join(" ").replaceAll("%", "%%");
    return `${words} -W '[%h]:%p' ${shellQuote(jump.host)}`;
  }
}

interface Ended {
  /** Undefined: it was ended from here. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function converse(argv: readonly string[], { input, onOutput, limitSeconds }: SshCall): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn("ssh", argv, { stdio: ["pipe", "pipe", "pipe"] });
    const texts = { stdout: "", stderr: "" };
    let [late, open] = [false, true];
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, limitSeconds * 1000);
    child.stderr.setEncoding("utf8").on("data", (text: string) => (texts.stderr += text));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      texts.stdout += text;
      const answer = onOutput?.(texts.stdout);
      if (answer === undefined || !open) return;
      open = false;
      child.stdin.end(answer);
    });
    // A host that ends the connection closes the pipe under our hands; the exit code tells the story.
    child.stdin.on("error", () => undefined);
    child.stdin.write(input);
    if (onOutput === undefined) child.stdin.end();
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ code: 255, ...texts, stderr: error.message });
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: late ? undefined : (code ?? 255), ...texts });
    });
  });
}
