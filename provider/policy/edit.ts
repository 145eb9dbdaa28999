import type { Node } from "jsonc-parser";
import type { Value } from "../protocol/wire.ts";
import { commaAfter, entryOf, nodeAt, parsePolicy } from "./document.ts";
import type { PolicyLine } from "./lines.ts";

/** A changed text, and the lines that are new in it: sections that had to be made stand without a value. */
export interface Added {
  readonly text: string;
  readonly added: readonly PolicyLine[];
}

const splice = (text: string, from: number, to: number, insert = ""): string =>
  text.slice(0, from) + insert + text.slice(to);
const lineStart = (text: string, offset: number): number => text.lastIndexOf("\n", offset - 1) + 1;
const indentAt = (text: string, offset: number): string =>
  /^[ \t]*/.exec(text.slice(lineStart(text, offset), offset))?.[0] ?? "";
/** One level of indentation, as the file has it. */
const unitOf = (text: string): string => /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";

/** The engine passes keys in its own order; people write who, whom, how. */
const ORDER = ["src", "target", "dst", "ip", "attr"];
const placeOf = (key: string): number => (ORDER.includes(key) ? ORDER.indexOf(key) : ORDER.length);

/** A value on one line, as people write it. */
export function inline(value: Value): string {
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value as Record<string, Value>).sort(
    ([one], [other]) => placeOf(one) - placeOf(other),
  );
  const parts = entries.map(([key, part]) => `${JSON.stringify(key)}: ${inline(part)}`);
  return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
}

/** Puts an entry at the end of a list or object; comments and order of what is there stay as they are. */
function append(text: string, container: Node, entry: string, mark: string): string {
  const close = container.offset + container.length - 1;
  const last = container.children?.at(-1);
  const inside = text.slice(container.offset + 1, close);
  const closeIndent = indentAt(text, close);
  if (last === undefined && inside.trim() === "") {
    const indent = `${closeIndent}${unitOf(text)}`;
    return splice(text, container.offset + 1, close, `\n${indent}${entry}${mark}\n${closeIndent}`);
  }
  const end = last === undefined ? container.offset + 1 : last.offset + last.length;
  const hasComma = last === undefined || commaAfter(text, end, close) !== undefined;
  if (last !== undefined && !inside.includes("\n")) {
    const [comma, trailing] = hasComma ? ["", ","] : [",", ""];
    const from = hasComma ? (commaAfter(text, end, close) ?? end) + 1 : end;
    return splice(text, from, from, `${comma} ${entry}${trailing}`);
  }
  const indent = last === undefined ? `${closeIndent}${unitOf(text)}` : indentAt(text, last.offset);
  const line = `${indent}${entry}${hasComma && last !== undefined ? "," : ""}${mark}\n`;
  const start = lineStart(text, close);
  // A bracket that does not stand on its own line: `{ … }]`.
  const withEntry =
    text.slice(start, close).trim() === ""
      ? splice(text, start, start, line)
      : splice(text, close, close, `\n${line}${closeIndent}`);
  return hasComma ? withEntry : splice(withEntry, end, end, ",");
}

/**
 * Makes the sections that a path leads through; the last part of a path below a section is left to its entry.
 * @param mark says that they go when they are empty, whoever takes the last entry out
 */
function ensure(text: string, path: readonly string[], isList: boolean, mark: string): Added {
  let current = text;
  const added: PolicyLine[] = [];
  for (let depth = 1; depth <= path.length; depth++) {
    const part = path.slice(0, depth);
    if (nodeAt(parsePolicy(current), part) !== undefined) continue;
    const above = nodeAt(parsePolicy(current), path.slice(0, depth - 1));
    if (above?.type !== "object")
      throw new Error(`${path.slice(0, depth - 1).join(".")} in the policy file is not an object`);
    const empty = isList && depth === path.length ? "[]" : "{}";
    current = append(current, above, `${JSON.stringify(part.at(-1))}: ${empty}`, mark);
    added.push({ path: part });
  }
  return { text: current, added };
}

/**
 * Adds a line that is not there yet.
 * @param owner who the line belongs to: it says so in a comment
 * @param sectionsStay whether sections that have to be made for it are nobody's: they stay when they are empty
 * @throws Error if something else stands in its place
 */
export function addLine(text: string, line: PolicyLine, owner: string, sectionsStay = false): Added {
  const { path, value } = line;
  const mark = ` // hybrid-k3s:${owner}`;
  const sectionMark = sectionsStay ? "" : mark;
  const isSection = path.length === 1;
  const list = nodeAt(parsePolicy(text), path);
  if (isSection || list !== undefined) {
    const made = ensure(text, path, true, sectionMark);
    if (value === undefined) return made;
    const container = nodeAt(parsePolicy(made.text), path);
    if (container?.type !== "array") throw new Error(`${path.join(".")} in the policy file is not a list`);
    const appended = append(made.text, container, inline(value), mark);
    return { text: appended, added: [...made.added, line] };
  }
  const { text: made, added } = ensure(text, path.slice(0, -1), false, sectionMark);
  const above = nodeAt(parsePolicy(made), path.slice(0, -1));
  if (above?.type !== "object") throw new Error(`${path.slice(0, -1).join(".")} in the policy file is not an object`);
  const entry = `${JSON.stringify(path.at(-1))}: ${inline(value === undefined ? [] : [value])}`;
  return {
    text: append(made, above, entry, mark),
    added: [...added, { path }, ...(value === undefined ? [] : [line])],
  };
}

/** Cuts an entry out, with its comma, our comment after it, and the line where nothing else is left on it. */
function cut(text: string, container: Node, entry: Node): string {
  const close = container.offset + container.length - 1;
  const siblings = container.children ?? [];
  const before = siblings[siblings.indexOf(entry) - 1];
  let [from, to] = [entry.offset, entry.offset + entry.length];
  const comma = commaAfter(text, to, close);
  if (comma !== undefined && !text.slice(to, comma).includes("\n")) to = comma + 1;
  to += /^[ \t]*\/\/ hybrid-k3s(?::\S+)?[ \t]*(?=\r?\n|$)/.exec(text.slice(to))?.[0].length ?? 0;
  const start = lineStart(text, from);
  const ends = /^[ \t]*\r?\n/.exec(text.slice(to));
  if (text.slice(start, from).trim() === "" && ends !== null) [from, to] = [start, to + ends[0].length];
  else from -= /[ \t]*$/.exec(text.slice(start, from))?.[0].length ?? 0;
  // The first of a list on one line: what follows moves up to the bracket.
  if (from === container.offset + 1) to += /^[ \t]*(?=\S)/.exec(text.slice(to))?.[0].length ?? 0;
  let result = splice(text, from, to);
  if (comma === undefined && before !== undefined) {
    // It was the last one and had no comma: the one before it must have none then.
    const end = before.offset + before.length;
    const previous = commaAfter(text, end, entry.offset);
    if (previous !== undefined) result = splice(result, previous, previous + 1);
  }
  return result;
}

/** What is left of a list or object that has lost its last entry. */
function tidy(text: string, path: readonly string[]): string {
  const container = nodeAt(parsePolicy(text), path);
  if (container === undefined || (container.children ?? []).length > 0) return text;
  const [from, to] = [container.offset + 1, container.offset + container.length - 1];
  return text.slice(from, to).trim() === "" ? splice(text, from, to) : text;
}

/** Our comment after a section's or list's end, from the end on. */
const MARK = /^,?[ \t]*\/\/ (?<words>hybrid-k3s(?::\S+)?)[ \t]*(?=\r?\n|$)/;
const markAfter = (text: string, node: Node): RegExpExecArray | null =>
  MARK.exec(text.slice(node.offset + node.length));

/** Takes a section or list out that is empty, with what is above it and ours and empty then. */
function removeEmpty(text: string, path: readonly string[]): string {
  const root = parsePolicy(text);
  const [node, above] = [nodeAt(root, path), nodeAt(root, path.slice(0, -1))];
  if (node?.parent === undefined || above === undefined) return text;
  return sweep(tidy(cut(text, above, node.parent), path.slice(0, -1)), path.slice(0, -1));
}

/** Takes a section or list out where it is empty, not even with a comment in it, and marked as ours. */
function sweep(text: string, path: readonly string[]): string {
  const node = nodeAt(parsePolicy(text), path);
  if (path.length === 0 || node === undefined || node.length > 2 || markAfter(text, node) === null) return text;
  return removeEmpty(text, path);
}

/**
 * Takes a line out; a section without a value goes only when it is empty. Where another region's lines are in it, it is
 * marked as nobody's own, and goes with the last of them. A line that is gone already is fine.
 */
export function removeLine(text: string, { path, value }: PolicyLine): string {
  const node = nodeAt(parsePolicy(text), path);
  if (node === undefined) return text;
  if (value !== undefined) {
    const entry = entryOf(node, value);
    return entry === undefined ? text : sweep(tidy(cut(text, node, entry), path), path);
  }
  if ((node.children ?? []).length === 0) return removeEmpty(text, path);
  const [whole = "", words = ""] = markAfter(text, node) ?? [];
  const end = node.offset + node.length;
  return words === "" ? text : splice(text, end, end + whole.length, whole.replace(words, "hybrid-k3s"));
}
