import { machineCosts, regionCosts } from "../stacks/costs.ts";
import type { RegionSettings } from "../stacks/region-settings.ts";
import { criticalPath, type PathPart } from "./critical-path.ts";
import { countSteps, describeSteps, type RunRecord } from "./engine/steps.ts";
import { Rehearsal, type RehearsalOptions } from "./rehearsal.ts";
import { guardrailOutcomes, NO_STEPS, type EditReport, type Failure, type RehearsalReport } from "./report.ts";

/** A change of the settings that is rehearsed after the first update. */
export interface RehearsedEdit {
  /** Where it came from, for the report. */
  readonly name: string;
  /** Merged into the settings; null deletes a key. By full name. */
  readonly change: Readonly<Record<string, unknown>>;
}

/** What {@link rehearse} does. */
export interface RehearseOptions extends RehearsalOptions {
  /** @default none */
  readonly edits?: readonly RehearsedEdit[];
  /** Whether everything is deleted at the end. @default false */
  readonly destroy?: boolean;
  /** Interrupts the rehearsal; it then ends cleanly. */
  readonly signal?: AbortSignal;
  /** Called as the rehearsal goes from phase to phase. */
  readonly onPhase?: (phase: string) => void;
}

/** Thrown inside to end a rehearsal early; never leaves this module. */
class Stopped extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** A failed command is quoted whole, and that is long; what it printed comes after. */
const withoutCommand = (failure: string): string => failure.replaceAll(/: running "(?:[^"\\]|\\.)*":\n/g, ":\n");

const total = (path: readonly PathPart[]): number => Math.round(path.reduce((sum, { seconds }) => sum + seconds, 0));
const customNames = (record: RunRecord): string[] =>
  record.finished.filter(({ custom }) => custom).map(({ name }) => name);

/** One rehearsal under way: the parts of the report as they become known. */
class Course {
  readonly #rehearsal: Rehearsal;
  readonly #options: RehearseOptions;
  readonly #started = Date.now();
  #report: Omit<RehearsalReport, "seconds">;

  constructor(rehearsal: Rehearsal, options: RehearseOptions) {
    this.#rehearsal = rehearsal;
    this.#options = options;
    this.#report = {
      stack: rehearsal.stack,
      engine: `pulumi v${rehearsal.cli.version}`,
      plugins: Object.fromEntries(rehearsal.providers.map(({ name, description }) => [name, description])),
      nodes: [],
      steps: NO_STEPS,
      order: [],
      secondPreview: "not run",
      guardrails: [],
      warnings: [],
      releases: [],
      costs: { machines: [], sum: {} },
      publicRules: [],
      criticalPath: [],
      simulatedSeconds: 0,
      edits: [],
    };
  }

  get report(): RehearsalReport {
    const publicRules = this.#rehearsal.world.cloud.publicRules.openings;
    return { ...this.#report, publicRules, seconds: Math.round((Date.now() - this.#started) / 100) / 10 };
  }

  async run(): Promise<void> {
    try {
      await this.#first();
      for (const edit of this.#options.edits ?? []) await this.#edit(edit);
      if (this.#options.destroy === true) await this.#destroy();
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      this.#add({ failure: error.failure });
    }
  }

  #add(parts: Partial<RehearsalReport>): void {
    this.#report = { ...this.#report, ...parts };
  }

  /**
   * Runs one phase.
   * @param keep gets the record also when the phase failed
   * @throws Stopped if it failed or was interrupted
   */
  async #phase(phase: string, run: () => Promise<RunRecord>, keep?: (record: RunRecord) => void): Promise<RunRecord> {
    this.#options.onPhase?.(phase);
    const record = await run();
    keep?.(record);
    if (this.#options.signal?.aborted === true) throw new Stopped({ phase, message: "interrupted" });
    if (record.failure !== undefined) throw new Stopped({ phase, message: withoutCommand(record.failure) });
    return record;
  }

  async #first(): Promise<void> {
    const settings = await this.#rehearsal.settings();
    const nodes = (settings?.sites ?? []).flatMap(({ name: site, machines }) =>
      machines.map(({ name, role }) => ({ name, role, site })),
    );
    const costs = settings === undefined ? this.#report.costs : costsOf(settings);
    this.#add({ nodes, costs, guardrails: guardrailOutcomes(await this.#rehearsal.guardrails()) });
    const preview = await this.#phase("preview", () => this.#rehearsal.preview());
    this.#add({
      warnings: warningsOf(preview),
    });
    await this.#phase(
      "up",
      () => this.#rehearsal.up(),
      (up) => {
        this.#add({ steps: countSteps(up.steps), order: customNames(up) });
      },
    );
    const state = await this.#rehearsal.session.state();
    const path = criticalPath(state, this.#rehearsal.world.durations);
    this.#add({
      criticalPath: path,
      simulatedSeconds: total(path),
      releases: releasesOf(state),
    });
    const second = await this.#phase("second preview", () => this.#rehearsal.preview());
    this.#add({ secondPreview: cleanOr(second) });
  }

  async #edit({ name, change }: RehearsedEdit): Promise<void> {
    const rehearsal = this.#rehearsal;
    await rehearsal.edit(change);
    let edit: EditReport = {
      name,
      steps: NO_STEPS,
      resources: [],
      order: [],
      secondPreview: "not run",
      guardrails: guardrailOutcomes(await rehearsal.guardrails()),
      warnings: [],
      criticalPath: [],
      simulatedSeconds: 0,
    };
    try {
      const preview = await this.#phase(`preview of ${name}`, () => rehearsal.preview());
      const resources = preview.steps.map(({ op, name: resource, type }) => ({ op, name: resource, type }));
      edit = { ...edit, steps: countSteps(preview.steps), resources, warnings: warningsOf(preview) };
      await this.#phase(
        `up of ${name}`,
        () => rehearsal.up(),
        (up) => {
          edit = { ...edit, order: customNames(up) };
        },
      );
      const path = criticalPath(await rehearsal.session.state(), rehearsal.world.durations);
      edit = { ...edit, criticalPath: path, simulatedSeconds: total(path) };
      const second = await this.#phase(`second preview of ${name}`, () => rehearsal.preview());
      edit = { ...edit, secondPreview: cleanOr(second) };
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      edit = { ...edit, failure: error.failure };
      throw error;
    } finally {
      this.#add({ edits: [...this.#report.edits, edit] });
    }
  }

  async #destroy(): Promise<void> {
    const before = this.#rehearsal.world.events.length;
    const record = await this.#phase("destroy", () => this.#rehearsal.destroy());
    const left = this.#rehearsal.world.events
      .slice(before)
      .filter(({ text }) => text.startsWith("left as it is"))
      .map(({ text }) => text);
    this.#add({ destroy: { steps: countSteps(record.steps), left } });
  }
}

const warningsOf = (preview: RunRecord): string[] =>
  preview.messages.filter(({ severity }) => severity === "warning").map(({ text }) => text);

const costsOf = (settings: RegionSettings): RehearsalReport["costs"] => ({
  machines: machineCosts(settings).map(({ name, cost }) => ({ name, ...cost })),
  sum: regionCosts(settings),
});

function cleanOr(record: RunRecord): "clean" | string[] {
  return record.steps.length === 0 ? "clean" : describeSteps(record.steps);
}

function releasesOf(state: Awaited<ReturnType<Rehearsal["session"]["state"]>>): RehearsalReport["releases"] {
  const word = (value: unknown): string => (typeof value === "string" ? value : "");
  return state
    .filter(({ type }) => type === "kubernetes:helm.sh/v3:Release")
    .map(({ outputs = {} }) => ({
      name: word(outputs["name"]),
      version: word(outputs["version"]),
      namespace: word(outputs["namespace"]),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Rehearses one stack: preview, update, a second preview that must be clean, then the edits, each the same way, and if
 * asked for the destroy. Temporary files are gone when it returns, also when it fails.
 * @returns the report; a refusal or a failed step is a part of it, not an error
 * @throws Error if the rehearsal itself cannot run: no stack file, no Pulumi CLI
 */
export async function rehearse(options: RehearseOptions): Promise<RehearsalReport> {
  const rehearsal = await Rehearsal.open(options);
  const interrupt = (): void => {
    rehearsal.session.interrupt();
  };
  options.signal?.addEventListener("abort", interrupt);
  try {
    const course = new Course(rehearsal, options);
    await course.run();
    return course.report;
  } finally {
    options.signal?.removeEventListener("abort", interrupt);
    await rehearsal.close();
  }
}
