import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";

/** What happens to a resource, counted once per resource. */
export type StepKind = "create" | "update" | "replace" | "delete";

/** One step of a preview or an update. */
export interface Step {
  readonly op: StepKind;
  /** Logical name. */
  readonly name: string;
  readonly type: string;
  readonly urn: string;
  /** False for components, which only group others. */
  readonly custom: boolean;
  /** Input names that differ; empty where the engine does not say. */
  readonly changed: readonly string[];
}

/** A message that the engine or the program printed. */
export interface Message {
  readonly severity: string;
  readonly text: string;
  /** Logical name of the resource that it is about; empty for the stack as a whole. */
  readonly resource: string;
}

/** What one run of the engine did. */
export interface RunRecord {
  readonly steps: readonly Step[];
  /** Steps in the order in which they finished; a replaced resource stands where its new instance was finished. */
  readonly finished: readonly Step[];
  readonly messages: readonly Message[];
  /** What the last line of the failure says; undefined if the run succeeded. */
  readonly failure?: string;
  /** Wall-clock seconds. */
  readonly seconds: number;
}

const KINDS: Readonly<Record<string, StepKind>> = {
  create: "create",
  update: "update",
  delete: "delete",
  replace: "replace",
};
/** What a step is called while it is at work, where that differs: the parts of a replacement. */
const FINISHED: Readonly<Record<string, StepKind>> = { ...KINDS, "create-replacement": "replace" };

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

const isStack = (urn: string): boolean => urn.split("::")[2] === "pulumi:pulumi:Stack";

/** The engine marks colours as `<{%fg 1%}>`. */
const plain = (text: string): string => text.replaceAll(/<\{%[^%]*%\}>/g, "").trimEnd();

type Metadata = NonNullable<EngineEvent["resourcePreEvent"]>["metadata"];

function stepOf(metadata: Metadata, op: StepKind): Step {
  const state = metadata.new ?? metadata.old;
  const { diffs } = metadata as { diffs?: string[] };
  return {
    op,
    name: nameOf(metadata.urn),
    type: metadata.type,
    urn: metadata.urn,
    custom: state?.custom === true,
    changed: diffs ?? [],
  };
}

/** The providers that the engine makes by itself are not resources of the program; Pulumi counts them as little as we. */
const isDefaultProvider = ({ type, urn }: Metadata): boolean =>
  type.startsWith("pulumi:providers:") && /::default(?:_[0-9_]+)?$/.test(urn);

/** Gathers the events of one run of the engine. */
export class StepRecorder {
  readonly steps: Step[] = [];
  readonly finished: Step[] = [];
  readonly messages: Message[] = [];
  readonly #onFinished: (step: Step) => void;

  /** @param onFinished called as each step ends */
  constructor(onFinished: (step: Step) => void = () => undefined) {
    this.#onFinished = onFinished;
  }

  /** To be given to the Automation API as `onEvent`. */
  readonly onEvent = (event: EngineEvent): void => {
    const { resourcePreEvent, resOutputsEvent, diagnosticEvent } = event;
    if (resourcePreEvent !== undefined) {
      const op = KINDS[resourcePreEvent.metadata.op];
      if (op !== undefined && !isDefaultProvider(resourcePreEvent.metadata))
        this.steps.push(stepOf(resourcePreEvent.metadata, op));
    }
    if (resOutputsEvent !== undefined && resOutputsEvent.planning !== true) {
      const op = FINISHED[resOutputsEvent.metadata.op];
      const { metadata } = resOutputsEvent;
      if (op !== undefined && metadata.op !== "replace" && !isDefaultProvider(metadata)) {
        const step = stepOf(resOutputsEvent.metadata, op);
        this.finished.push(step);
        this.#onFinished(step);
      }
    }
    // Debug messages hold whole property maps, secrets included; progress of a step is ephemeral.
    if (
      diagnosticEvent !== undefined &&
      (diagnosticEvent.severity as string) !== "debug" &&
      diagnosticEvent.ephemeral !== true
    ) {
      const { urn, severity, message } = diagnosticEvent;
      const text = plain(message);
      if (text !== "")
        this.messages.push({ severity, text, resource: urn === undefined || isStack(urn) ? "" : nameOf(urn) });
    }
  };
}

/** Steps by kind. */
export function countSteps(steps: readonly Step[]): Record<StepKind, number> {
  const counts = { create: 0, update: 0, replace: 0, delete: 0 };
  for (const { op } of steps) counts[op]++;
  return counts;
}

/** Steps as `op name`, sorted; components are left out where `customOnly` is set. */
export function describeSteps(steps: readonly Step[], customOnly = false): string[] {
  return steps
    .filter(({ custom }) => custom || !customOnly)
    .map(({ op, name }) => `${op} ${name}`)
    .sort();
}
