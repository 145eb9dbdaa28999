import type { Opening } from "./world/public-rules.ts";
import type { Severity, Verdict } from "../stacks/guardrails.ts";
import type { PathPart } from "./critical-path.ts";
import type { StepKind } from "./engine/steps.ts";

/** What a guardrail came to. */
export interface GuardrailOutcome {
  readonly id: string;
  readonly severity: Severity;
  readonly outcome: "accepted" | "warned" | "refused";
  readonly message: string;
  /** Why it was accepted; else why the guardrail is there. */
  readonly reason: string;
}

/** What a change of the settings did. */
export interface EditReport {
  /** Where the change came from, such as a file name. */
  readonly name: string;
  readonly steps: Readonly<Record<StepKind, number>>;
  /** What the preview said, components included. */
  readonly resources: readonly { readonly op: StepKind; readonly name: string; readonly type: string }[];
  /** Custom resources in the order in which they finished. */
  readonly order: readonly string[];
  /** `clean`, or `op name` of everything that the preview after it would still do. */
  readonly secondPreview: "clean" | "not run" | readonly string[];
  readonly guardrails: readonly GuardrailOutcome[];
  /** What the preview warned of, such as a setting that waits for a machine's next generation. */
  readonly warnings: readonly string[];
  readonly criticalPath: readonly PathPart[];
  /** Simulated. */
  readonly simulatedSeconds: number;
  readonly failure?: Failure;
}

/** Where a rehearsal ended before its end, and what was said. */
export interface Failure {
  readonly phase: string;
  readonly message: string;
}

/** What a rehearsal of one stack came to. */
export interface RehearsalReport {
  readonly stack: string;
  /** Such as `pulumi v3.259.0`. */
  readonly engine: string;
  /** By provider: `stand-in`, or version and path of the official plugin. */
  readonly plugins: Readonly<Record<string, string>>;
  readonly nodes: readonly { readonly name: string; readonly role: string; readonly site: string }[];
  /** Steps of the first update. A replacement counts once. */
  readonly steps: Readonly<Record<StepKind, number>>;
  /** Custom resources in the order in which they finished. */
  readonly order: readonly string[];
  readonly secondPreview: "clean" | "not run" | readonly string[];
  readonly guardrails: readonly GuardrailOutcome[];
  readonly warnings: readonly string[];
  readonly releases: readonly { readonly name: string; readonly version: string; readonly namespace: string }[];
  /** What the machines cost a month by the catalogues: by machine, and the sum by currency. */
  readonly costs: {
    readonly machines: readonly { readonly name: string; readonly amount: number; readonly currency: string }[];
    readonly sum: Readonly<Record<string, number>>;
  };
  /**
   * Every port that was open to the world at any step, edits included, with the step that opened it: past the cloud's
   * firewall, where one stands before the machine, and past the machine's own. Machines with neither have no entry.
   */
  readonly publicRules: readonly Opening[];
  readonly criticalPath: readonly PathPart[];
  /** Sum of the critical path: simulated. */
  readonly simulatedSeconds: number;
  readonly edits: readonly EditReport[];
  readonly destroy?: { readonly steps: Readonly<Record<StepKind, number>>; readonly left: readonly string[] };
  readonly failure?: Failure;
  /** Wall-clock seconds of the whole rehearsal. */
  readonly seconds: number;
}

/** Nothing was done. */
export const NO_STEPS: Readonly<Record<StepKind, number>> = { create: 0, update: 0, replace: 0, delete: 0 };

/** Whether all went through and every second preview was clean. */
export function succeeded(report: RehearsalReport): boolean {
  const fine = (part: Pick<EditReport, "failure" | "secondPreview">): boolean =>
    part.failure === undefined && part.secondPreview === "clean";
  return fine(report) && report.edits.every(fine);
}

/** A verdict as a list: refusals first. */
export function guardrailOutcomes(verdict: Verdict | undefined): GuardrailOutcome[] {
  const outcomes = [
    ["refused", verdict?.refused],
    ["accepted", verdict?.accepted],
    ["warned", verdict?.warnings],
  ] as const;
  return outcomes.flatMap(([outcome, findings = []]) =>
    findings.map(({ id, severity, message, reason, acceptedBecause }) => ({
      id,
      severity,
      outcome,
      message,
      reason: acceptedBecause ?? reason,
    })),
  );
}

/** The report as one line of JSON, with one edit as `edit` and several as `edits`. */
export function reportJson({ edits, ...report }: RehearsalReport): string {
  const [edit] = edits;
  const more = edits.length > 1 ? { edits } : edit === undefined ? {} : { edit };
  return JSON.stringify({ ...report, ...more });
}
