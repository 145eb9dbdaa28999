import { setTimeout as sleep } from "node:timers/promises";
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

/** A script said why, and ended. */
export class ScriptFailure extends Error {
  override readonly name = "ScriptFailure";
  /** Exit code of the script. */
  readonly code: number;
  /** @param lines what it printed to standard error */
  constructor(lines: readonly string[], code = 1) {
    super(lines.join("\n"));
    this.code = code;
  }
}

/** The connection broke while the script ran. */
export class SessionDropped extends Error {
  override readonly name = "SessionDropped";
}

/** One run of a script on one host: its values, its clock, and what it may do to the world. */
export class ScriptRun {
  readonly world: World;
  readonly host: Host;
  readonly script: string;
  readonly action: string;
  /** Logical name of the resource that runs it. */
  readonly resource: string;
  readonly #parameters: Readonly<Record<string, string>>;
  readonly #signal: AbortSignal;
  readonly #limitSeconds: number;
  readonly output: string[] = [];
  /** Simulated seconds. */
  elapsed = 0;
  #steps = 0;

  constructor(
    world: World,
    host: Host,
    call: {
      readonly script: string;
      readonly action: string;
      readonly parameters: Readonly<Record<string, string>>;
      readonly resource: string;
      readonly signal: AbortSignal;
      /** Budget of the script on the host, in simulated seconds. */
      readonly limitSeconds: number;
    },
  ) {
    this.world = world;
    this.host = host;
    this.script = call.script;
    this.action = call.action;
    this.resource = call.resource;
    this.#parameters = call.parameters;
    this.#signal = call.signal;
    this.#limitSeconds = call.limitSeconds;
  }

  /** A parameter that the script needs. Ends the script as bash does if it is missing. */
  need(name: string): string {
    const value = this.#parameters[name];
    if (value === undefined || value === "") {
      throw new ScriptFailure([`bash: ${name}: parameter null or not set`], 127);
    }
    return value;
  }

  /** A parameter that may be empty. */
  get(name: string): string {
    return this.#parameters[name] ?? "";
  }

  /** The node that the script is about; empty where there is none. */
  get node(): string {
    return this.get("NODE_NAME");
  }

  /** Lets simulated time pass on this host. */
  spend(seconds: number): void {
    this.elapsed += seconds * this.host.slowness;
    if (this.elapsed <= this.#limitSeconds) return;
    const limit = this.#limitSeconds;
    throw new ScriptFailure(
      [`the script was ended after its ${limit} s; look at: journalctl -u k3s -u k3s-agent -n 50`],
      124,
    );
  }

  /**
   * One thing that the script does: other work happens meanwhile, the session may break before it, and it is written
   * down. Without `change` nothing was to do.
   */
  async step(seconds: number, change?: { readonly text: string; readonly apply: () => void }): Promise<void> {
    // Real time passes too, a little, so that steps of parallel resources really interleave.
    await sleep(1, undefined, { signal: this.#signal });
    if (this.world.faults.drops(this.host.name, this.script, this.action, this.#steps) || !this.host.alive) {
      throw new SessionDropped(this.host.name);
    }
    this.#steps++;
    this.spend(seconds);
    if (change === undefined) return;
    change.apply();
    this.record("change", change.text);
  }

  /** Writes an event of this run down. */
  record(kind: "begin" | "end" | "change", text: string): void {
    this.world.record({
      kind,
      resource: this.resource,
      host: this.host.name,
      script: this.script,
      action: this.action,
      node: this.node,
      text,
      seconds: this.elapsed,
    });
  }
}
