import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Lab } from "./lab.ts";
import { hostNamespace } from "./network.ts";

/** What a port said when it was asked. A refusal is an answer too: whatever sent it was reached. */
export interface PortAnswer {
  /** When it was asked, in ms since 1970: hosts of a lab have this machine's clock. */
  readonly at: number;
  /** Such as `22/tcp`. */
  readonly port: string;
  readonly said: "open" | "refused" | "silent";
}

/** How long an answer is waited for, in ms: longer than a lost packet's repetition takes. A lab's answers take less than one. */
export const LONGEST_ANSWER = 1500;

/** A host that asks another one's ports ten times a second, until it is told to stop. */
export class PortScan {
  readonly #child: ChildProcess;
  #text = "";

  /** @param from the host that asks, as nothing but its network says */
  constructor(lab: Lab, from: string, address: string, ports: readonly string[]) {
    const program = fileURLToPath(new URL("./scan-ports.ts", import.meta.url));
    const command = [hostNamespace(lab.prefix, from), process.execPath, program, address, ...ports];
    this.#child = spawn("ip", ["netns", "exec", ...command], { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => (this.#text += text));
    this.#child.stdin!.on("error", () => undefined);
  }

  /** All answers so far. */
  get answers(): readonly PortAnswer[] {
    return this.#text
      .split("\n")
      .slice(0, -1)
      .map((line) => {
        const [at, port, said] = line.split(" ");
        return { at: Number(at), port: port!, said: said as PortAnswer["said"] };
      });
  }

  /** Ports that answered, between two moments, in order and once. */
  answered(from: number, until: number): string[] {
    const heard = this.answers.filter(({ at, said }) => said !== "silent" && at >= from && at < until);
    return [...new Set(heard.map(({ port }) => port))].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  }

  /** Ends it. It ends by itself when this process does. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.stdin!.end();
    await ended;
  }
}
