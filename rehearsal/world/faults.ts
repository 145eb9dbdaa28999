import { setTimeout as sleep } from "node:timers/promises";
import type { Disturb } from "../providers/stand-in.ts";

/** An SSH session that breaks while a script runs: what the script did until then stays on the host. */
export interface DroppedSession {
  readonly kind: "ssh-dropped";
  /** Name of the host on which the script runs. */
  readonly host: string;
  /** @default any script */
  readonly script?: string;
  /** @default any action */
  readonly action?: string;
  /** How many steps the script gets done. */
  readonly afterSteps: number;
  /** How often. @default 1 */
  readonly times?: number;
}

/** A change that shuts this computer out: the second connection, which would confirm it, does not come about. */
export interface ShutOut {
  readonly kind: "shut-out";
  /** Name of the host. */
  readonly host: string;
  /** How often. @default 1 */
  readonly times?: number;
}

/** A step of a stand-in that fails, or never ends, before it does anything. */
export interface BrokenStep {
  readonly kind: "provider-error" | "hang";
  /** Logical name of the resource. */
  readonly resource: string;
  /** @default any of the three */
  readonly action?: "create" | "update" | "delete";
  /** What the provider says, such as `500 Internal Server Error`. */
  readonly message?: string;
  /** How often. @default 1 */
  readonly times?: number;
}

/** A request to a cloud's API that is answered with a status; whether it is tried again is up to the provider. */
export interface BrokenRequest {
  readonly kind: "api-status";
  /** Logical name of the resource. */
  readonly resource: string;
  /** HTTP status, such as 429. */
  readonly status: number;
  /** @default any of the three */
  readonly action?: "create" | "update" | "delete";
  /** How often. @default 1 */
  readonly times?: number;
}

/** The error of a {@link BrokenRequest}. */
export class ApiStatus extends Error {
  override readonly name = "ApiStatus";
  readonly status: number;
  constructor(status: number) {
    super(status === 429 ? "429 Too Many Requests" : `${status} the API failed`);
    this.status = status;
  }
}

/** What a scenario may break. Hosts and clusters are broken by setting their fields. */
export type Fault = DroppedSession | ShutOut | BrokenStep | BrokenRequest;

/** The faults that a scenario has set up, each used up after its times. */
export class Faults {
  readonly #waiting: { fault: Fault; left: number }[] = [];
  /** The repositories of charts are out of every cluster's reach. */
  chartsUnreachable = false;
  /** Called when a hanging step has begun, so that a test knows when to interrupt. */
  onHang: (resource: string) => void = () => undefined;

  /** Sets a fault up. */
  add(fault: Fault): void {
    this.#waiting.push({ fault, left: fault.times ?? 1 });
  }

  /** Takes every fault back that has not happened. */
  clear(): void {
    this.#waiting.length = 0;
  }

  #take<F extends Fault>(matches: (fault: Fault) => fault is F): F | undefined {
    const entry = this.#waiting.find(({ fault, left }) => left > 0 && matches(fault));
    if (entry === undefined) return undefined;
    entry.left--;
    return entry.fault as F;
  }

  /** Whether the session of this script breaks now, `steps` steps into it. */
  drops(host: string, script: string, action: string, steps: number): boolean {
    const matches = (fault: Fault): fault is DroppedSession =>
      fault.kind === "ssh-dropped" &&
      fault.host === host &&
      (fault.script ?? script) === script &&
      (fault.action ?? action) === action &&
      fault.afterSteps === steps;
    return this.#take(matches) !== undefined;
  }

  /** Whether the change that was just made to this host shuts this computer out. */
  shutsOut(host: string): boolean {
    const matches = (fault: Fault): fault is ShutOut => fault.kind === "shut-out" && fault.host === host;
    return this.#take(matches) !== undefined;
  }

  /** What the stand-ins ask before every step. */
  readonly disturb: Disturb = async ({ name, action, signal }) => {
    const matches = (fault: Fault): fault is BrokenStep | BrokenRequest =>
      "resource" in fault && fault.resource === name && (fault.action ?? action) === action;
    const fault = this.#take(matches);
    if (fault === undefined) return;
    if (fault.kind === "api-status") throw new ApiStatus(fault.status);
    if (fault.kind === "provider-error") throw new Error(fault.message ?? "500 Internal Server Error");
    this.onHang(name);
    // An hour is for ever here; the engine's cancel ends it.
    await sleep(3_600_000, undefined, { signal }).catch(() => {
      throw new Error(`${action} of ${name} was cancelled`);
    });
  };
}
