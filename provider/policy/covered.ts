import type { Node } from "jsonc-parser";
import { cidrContains } from "../../components/network/cidr.ts";
import { listOf, objectOf, textsOf } from "../protocol/values.ts";
import type { Values } from "../protocol/wire.ts";
import { child, holds, nodeAt, parsePolicy, valueOf } from "./document.ts";
import type { PolicyLine } from "./lines.ts";

const within = (wide: readonly string[], narrow: readonly string[]): boolean =>
  wide.includes("*") || narrow.every((entry) => wide.some((other) => entry === other || cidrContains(other, entry)));

/** A rule of the older section as a grant; undefined where it names ports, which its `dst` carries. */
function asGrant(rule: Values): Values | undefined {
  const destinations = textsOf(rule["dst"]);
  if (!destinations.every((entry) => entry.endsWith(":*")) || rule["proto"] !== undefined) return undefined;
  return { src: rule["src"] ?? [], dst: destinations.map((entry) => entry.slice(0, -2)), ip: ["*"] };
}

/** Whether a grant allows all that another one does. */
function covers(wide: Values, narrow: Values): boolean {
  if (wide["via"] !== undefined || wide["srcPosture"] !== undefined || narrow["app"] !== undefined) return false;
  return ["src", "dst", "ip"].every((part) => within(textsOf(wide[part]), textsOf(narrow[part])));
}

const valuesOf = (node: Node | undefined): readonly Values[] =>
  node?.type === "array" ? listOf(valueOf(node)).map((entry) => objectOf(entry)) : [];

/** Whether a policy file that a person wrote says what a line says, be it in wider words. */
function says(root: Node, line: PolicyLine): boolean {
  if (holds(root, line)) return true;
  const { path, value } = line;
  if (path[0] === "grants") {
    const rules = valuesOf(child(root, "acls", true))
      .map(asGrant)
      .filter((grant) => grant !== undefined);
    return [...valuesOf(child(root, "grants", true)), ...rules].some((grant) => covers(grant, objectOf(value)));
  }
  if (path[1] !== "routes" || typeof value !== "string") return false;
  const routes = objectOf(valueOf(nodeAt(root, path.slice(0, 2)) ?? root));
  return Object.entries(routes).some(
    ([route, who]) => cidrContains(route, path[2] ?? "") && textsOf(who).includes(value),
  );
}

/** Lines that a person's policy file does not say, neither in these words nor in wider ones. */
export function unsaidLines(text: string, lines: readonly PolicyLine[]): PolicyLine[] {
  const root = parsePolicy(text);
  return lines.filter((line) => !says(root, line));
}
