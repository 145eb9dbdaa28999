import { isDeepStrictEqual } from "node:util";
import { createScanner, getNodeValue, parseTree, printParseErrorCode, type Node, type ParseError } from "jsonc-parser";
import type { Value } from "../protocol/wire.ts";
import type { PolicyLine } from "./lines.ts";

/** Sections whose keys are a struct's fields: Go reads those without regard to case, and older files have `ACLs`. */
const STRUCTS = new Set(["", "autoapprovers"]);
/** SyntaxKind.CommaToken of jsonc-parser, whose enums are ambient constants. */
const COMMA = 5;

/**
 * Reads a policy file: JSON with comments and trailing commas.
 * @throws Error that names the line of what is wrong
 */
export function parsePolicy(text: string): Node {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) {
    const line = text.slice(0, error.offset).split("\n").length;
    throw new Error(`the policy file is not JSON with comments: ${printParseErrorCode(error.error)} in line ${line}`);
  }
  if (root?.type !== "object") throw new Error("the policy file is not an object: it has to begin with {");
  return root;
}

/** The value of a key in an object. */
export function child(node: Node | undefined, key: string, struct: boolean): Node | undefined {
  const properties = node?.type === "object" ? (node.children ?? []) : [];
  const named = (wanted: string, change: (text: string) => string): Node | undefined =>
    properties.find(({ children }) => change(String(children?.[0]?.value)) === change(wanted))?.children?.[1];
  return named(key, (text) => text) ?? (struct ? named(key, (text) => text.toLowerCase()) : undefined);
}

/** The node that a path leads to. */
export function nodeAt(root: Node, path: readonly string[]): Node | undefined {
  return path.reduce<Node | undefined>((node, key, index) => {
    const above = (path[index - 1] ?? "").toLowerCase();
    return child(node, key, index < 2 && STRUCTS.has(above));
  }, root);
}

/** The value of a node, with the prototypes that comparing goes by. */
export const valueOf = (node: Node): Value => JSON.parse(JSON.stringify(getNodeValue(node))) as Value;

/** The entry of a list that is this value. */
export const entryOf = (list: Node | undefined, value: Value): Node | undefined =>
  list?.type === "array" ? list.children?.find((entry) => isDeepStrictEqual(valueOf(entry), value)) : undefined;

/** Whether a policy file holds a line. */
export function holds(root: Node, { path, value }: PolicyLine): boolean {
  const list = nodeAt(root, path);
  return value === undefined ? list !== undefined : entryOf(list, value) !== undefined;
}

/** Offset of the comma that follows an offset, past white space and comments, before a limit. */
export function commaAfter(text: string, from: number, limit: number): number | undefined {
  const scanner = createScanner(text, true);
  scanner.setPosition(from);
  const kind: number = scanner.scan();
  const offset = scanner.getTokenOffset();
  return kind === COMMA && offset < limit ? offset : undefined;
}
