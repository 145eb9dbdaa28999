import { setTimeout as sleep } from "node:timers/promises";
import { ScriptFailure } from "../script-run.ts";
import type { World } from "../world.ts";

/** What {@link LocalScriptRun} is made of. */
export interface LocalScriptCall {
  readonly script: string;
  readonly action: string;
  /** Secrets among them. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Logical name of the resource that runs it. */
  readonly resource: string;
  readonly signal: AbortSignal;
  /** Simulated seconds that the step may take. */
  readonly limitSeconds: number;
}

/** The step's own time-out ended the script. */
export class LocalScriptKilled extends Error {
  override readonly name = "LocalScriptKilled";
}

/** One run of a script on this computer: its values, its clock, and what it may do to the world. */
export class LocalScriptRun {
  readonly world: World;
  readonly #call: LocalScriptCall;
  /** Lines on standard output. */
  readonly output: string[] = [];
  /** Simulated seconds. */
  elapsed = 0;

  constructor(world: World, call: LocalScriptCall) {
    this.world = world;
    this.#call = call;
  }

  get action(): string {
    return this.#call.action;
  }

  /** A parameter or secret that the script needs. Ends the script as bash does if it is missing. */
  need(name: string): string {
    const value = this.get(name);
    if (value === "") throw new ScriptFailure([`bash: ${name}: parameter null or not set`], 127);
    return value;
  }

  /** A parameter or secret that may be empty. */
  get(name: string): string {
    return this.#call.parameters[name] ?? "";
  }

  /**
   * One thing that the script does: other work happens meanwhile, and it is written down. Without `change` nothing was
   * to do.
   * @param seconds how long it takes
   */
  async step(seconds: number, change?: { readonly text: string; readonly apply: () => void }): Promise<void> {
    await sleep(1, undefined, { signal: this.#call.signal });
    this.elapsed += seconds;
    if (this.elapsed > this.#call.limitSeconds) throw new LocalScriptKilled();
    if (change === undefined) return;
    change.apply();
    this.record("change", change.text);
  }

  /** Writes an event of this run down. */
  record(kind: "begin" | "end" | "change", text: string): void {
    const { script, action, resource } = this.#call;
    const node = this.get("NODE_NAME");
    this.world.record({ kind, resource, host: "", script, action, node, text, seconds: this.elapsed });
  }
}
