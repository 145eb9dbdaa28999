import { child, holds, parsePolicy } from "./document.ts";
import { addLine, removeLine, type Added } from "./edit.ts";
import { sameLine, type PolicyLine } from "./lines.ts";

/** What an empty policy file says in words: everything is allowed. */
const ALLOW_ALL = { src: ["*"], dst: ["*"], ip: ["*"] };
const ALLOW_ALL_NOTE = "as-before";

/** What a merge did. */
export interface Merged extends Added {
  /** Whether a grant had to be written that allows what an absent section had allowed. */
  readonly keptOpen: boolean;
}

/**
 * Adds the lines that a policy file lacks.
 *
 * A file with neither grants nor acls allows everything (https://github.com/juanfont/headscale/blob/v0.29.3/hscontrol/policy/v2/filter.go);
 * the first grant would close all that it does not name. So that grant is written beside ours, and stays when ours go.
 */
export function mergeLines(text: string, lines: readonly PolicyLine[], owner: string): Merged {
  const missing = lines.filter((line) => !holds(parsePolicy(text), line));
  const root = parsePolicy(text);
  const isOpen = child(root, "grants", true) === undefined && child(root, "acls", true) === undefined;
  const keptOpen = isOpen && missing.some(({ path }) => path[0] === "grants");
  let current = text;
  const added: PolicyLine[] = [];
  // The section is not ours then: it has to stay, and so is not among what was added.
  if (keptOpen) current = addLine(current, { path: ["grants"], value: ALLOW_ALL }, ALLOW_ALL_NOTE, true).text;
  for (const line of missing) {
    const step = addLine(current, line, owner);
    current = step.text;
    added.push(...step.added);
  }
  return { text: current, added, keptOpen };
}

/** Takes lines out that were added before: entries first, then the sections that were made for them, innermost first. */
export function unmergeLines(text: string, added: readonly PolicyLine[]): string {
  const entries = added.filter(({ value }) => value !== undefined).reverse();
  const sections = added
    .filter(({ value }) => value === undefined)
    .sort((one, other) => other.path.length - one.path.length);
  return [...entries, ...sections].reduce(removeLine, text);
}

/** Lines that a policy file lacks. */
export const missingLines = (text: string, lines: readonly PolicyLine[]): PolicyLine[] => {
  const root = parsePolicy(text);
  return lines.filter((line) => !holds(root, line));
};

/**
 * Changes a merged file to other lines: what was added and is no longer wanted goes, what is missing comes; what is the
 * same is not touched.
 */
export function remergeLines(
  text: string,
  before: readonly PolicyLine[],
  lines: readonly PolicyLine[],
  owner: string,
): Merged {
  const wanted = (line: PolicyLine): boolean =>
    line.value === undefined
      ? lines.some(({ path }) => line.path.every((part, index) => part === path[index]))
      : lines.some((other) => sameLine(line, other));
  const kept = before.filter(wanted);
  const without = unmergeLines(
    text,
    before.filter((line) => !wanted(line)),
  );
  const merged = mergeLines(without, lines, owner);
  return {
    ...merged,
    added: [...kept, ...merged.added.filter((line) => !kept.some((other) => sameLine(line, other)))],
  };
}
