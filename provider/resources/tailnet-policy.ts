import { PolicyChanged, type TailnetPolicyControl } from "../control/control.ts";
import { unsaidLines } from "../policy/covered.ts";
import { linesFrom, linesOf, linesTo, partsOf, type PolicyLine } from "../policy/lines.ts";
import { missingLines, remergeLines, unmergeLines } from "../policy/merge.ts";
import { describeLines, renderPolicy } from "../policy/render.ts";
import type { Operation, ResourceType } from "../protocol/resource-type.ts";
import { textOf } from "../protocol/values.ts";
import { hasUnknown, type Values } from "../protocol/wire.ts";
import { glance, type ResourceContext } from "./context.ts";

const MODES = ["managed", "merge", "external"] as const;
type Mode = (typeof MODES)[number];

/** How often a write is tried whose file somebody else changed meanwhile. */
const TRIES = 5;
/** What a control plane without a policy file has. */
const NOTHING = "{\n}\n";

interface Wanted {
  readonly mode: Mode;
  readonly owner: string;
  readonly lines: readonly PolicyLine[];
  /** The whole file, where it is ours. */
  readonly whole: string;
}

/** What the state keeps: lines that were added, or the file that stood before ours. */
interface Kept {
  readonly added: readonly PolicyLine[];
  readonly before: string | undefined;
}

function wantedBy(inputs: Values): Wanted {
  const [parts, owner] = [partsOf(inputs["parts"]), textOf(inputs["owner"])];
  const mode = MODES.find((name) => name === inputs["mode"]) ?? "merge";
  return { mode, owner, lines: linesOf(parts), whole: renderPolicy(parts, owner) };
}

const keptIn = (olds: Values): Kept => ({
  added: linesFrom(olds["added"]),
  before: typeof olds["before"] === "string" ? olds["before"] : undefined,
});
const outputsOf = ({ added, before }: Kept): Values => ({ added: linesTo(added), before: before ?? null });
const NOT_YET: Kept = { added: [], before: undefined };

/** A text to write, or undefined where nothing is, and what the state has to keep then. */
interface Plan extends Kept {
  readonly text: string | undefined;
  readonly note?: string;
}

/** Works out what becomes of the file as it stands. @throws Error in external mode, with all that is missing */
function plan(current: string, { mode, owner, lines, whole }: Wanted, kept: Kept): Plan {
  if (mode === "managed") {
    const before = kept.before ?? unmergeLines(current, kept.added);
    return { text: whole, added: [], before };
  }
  const theirs = kept.before ?? current;
  if (mode === "external") {
    const text = unmergeLines(theirs, kept.added);
    const missing = unsaidLines(text, lines);
    if (missing.length > 0) {
      throw new Error(
        `the policy file lacks ${missing.length} of the lines that the region ${owner} needs (mesh.policy: external) · fix: add, or set mesh.policy: merge\n${describeLines(missing)}`,
      );
    }
    return { text: text === current ? undefined : text, ...NOT_YET };
  }
  const merged = remergeLines(theirs, kept.added, lines, owner);
  const note =
    "the policy file had neither grants nor acls, which allows everything: a grant that says so was written beside the region's own";
  return {
    text: merged.text === current ? undefined : merged.text,
    added: merged.added,
    before: undefined,
    ...(merged.keptOpen ? { note } : {}),
  };
}

function policyOf(context: ResourceContext, operation: Operation): TailnetPolicyControl {
  const { policy, kind } = context.connect(operation);
  if (policy !== undefined) return policy;
  throw new Error(`${kind} has no policy file · TailnetPolicy is for tailscale and headscale`);
}

/** Whether the file says by now what was written, although the answer to the write was lost. */
async function hasLanded(policy: TailnetPolicyControl, text: string): Promise<boolean> {
  try {
    return (await policy.readPolicy())?.text === text;
  } catch {
    // The write's own error says more than that of looking after it.
    return false;
  }
}

/**
 * Reads, plans and writes, again where somebody else wrote meanwhile. What landed in a write whose answer was lost is not
 * planned anew: our own lines would count as somebody else's then, and stay for ever.
 */
async function apply(policy: TailnetPolicyControl, wanted: Wanted, kept: Kept, { warn }: Operation): Promise<Values> {
  for (let tried = 1; ; tried++) {
    const current = await policy.readPolicy();
    const { text, note, ...keep } = plan(current?.text ?? NOTHING, wanted, kept);
    try {
      if (text !== undefined) await policy.writePolicy(text, current?.etag);
    } catch (error) {
      if (text === undefined || !(await hasLanded(policy, text))) {
        if (error instanceof PolicyChanged && tried < TRIES) continue;
        throw error;
      }
    }
    if (note !== undefined) warn(note);
    return outputsOf(keep);
  }
}

/** Takes our lines out, or puts back the file that stood before ours. */
async function undo(policy: TailnetPolicyControl, wanted: Wanted, kept: Kept, { warn }: Operation): Promise<void> {
  if (wanted.mode === "external") return;
  for (let tried = 1; ; tried++) {
    const current = await policy.readPolicy();
    if (current === undefined) return;
    if (wanted.mode === "managed" && current.text !== wanted.whole) {
      warn("the policy file was changed by somebody else since hybrid-k3s wrote it: it stays as it is");
      return;
    }
    const text = wanted.mode === "managed" ? (kept.before ?? NOTHING) : unmergeLines(current.text, kept.added);
    if (text === current.text) return;
    try {
      await policy.writePolicy(text, current.etag);
      return;
    } catch (error) {
      if (!(error instanceof PolicyChanged) || tried >= TRIES) throw error;
    }
  }
}

/** Whether the file no longer says what it should. */
async function hasDrifted(policy: TailnetPolicyControl, { mode, lines, whole }: Wanted): Promise<boolean> {
  const text = (await policy.readPolicy())?.text ?? NOTHING;
  if (mode === "managed") return text !== whole;
  return (mode === "merge" ? missingLines(text, lines) : unsaidLines(text, lines)).length > 0;
}

/** What a region needs in the policy file of its tailnet: written as a whole, merged into it, or only checked. */
export function tailnetPolicyType(context: ResourceContext): ResourceType {
  return {
    token: "hybrid-k3s-mesh:index:TailnetPolicy",
    replaceOn: ["owner"],
    computed: ["added", "before"],
    defaults: { mode: "merge" },
    check: ({ mode }): Record<string, string> =>
      MODES.some((name) => name === mode) || hasUnknown(mode)
        ? {}
        : { mode: `found ${JSON.stringify(mode)} · allowed ${MODES.join(", ")}` },
    diff: async (operation, usual) => {
      if (usual.changed.length > 0 || hasUnknown(operation.inputs)) return usual;
      const look = () => hasDrifted(policyOf(context, operation), wantedBy(operation.inputs));
      const drifted = await glance(context, operation, "the tailnet's policy file", look);
      return drifted === true ? { ...usual, changed: ["parts"] } : usual;
    },
    create: async (operation) => ({
      id: textOf(operation.inputs["owner"]),
      outputs: await apply(policyOf(context, operation), wantedBy(operation.inputs), NOT_YET, operation),
    }),
    update: (operation) =>
      apply(policyOf(context, operation), wantedBy(operation.inputs), keptIn(operation.olds), operation),
    delete: (operation) =>
      undo(policyOf(context, operation), wantedBy(operation.olds), keptIn(operation.olds), operation),
  };
}
