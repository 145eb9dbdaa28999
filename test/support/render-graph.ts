import { stringify } from "yaml";
import { parseCommandText } from "../../components/host/command-text.ts";
import type { GraphNode } from "./record-graph.ts";

const STACK = "pulumi:pulumi:Stack";

/** A command as the call it is: its text repeats much that a reviewer need not read. */
function readableCall(text: unknown, like: Readonly<Record<string, string>>): Record<string, unknown> {
  const call = parseCommandText(String(text));
  if (call === undefined) return { text };
  // The digest changes with every edit of a script; the scripts themselves are what is reviewed.
  const parameters = Object.fromEntries(Object.entries(call.parameters).filter(([name]) => name !== "PROGRAM"));
  const differing = Object.entries(parameters).filter(([name, value]) => like[name] !== value);
  const without = Object.keys(like).filter((name) => name !== "PROGRAM" && !(name in parameters));
  return {
    call: `${call.script} ${call.action}`,
    ...Object.fromEntries(differing),
    ...(without.length > 0 ? { without: without.join(" ") } : {}),
  };
}

/** Points of a command's life, in the order in which the first that is there shows all of its parameters. */
const POINTS = ["create", "update", "delete"];

function readableInputs(inputs: GraphNode["inputs"]): Record<string, unknown> {
  const first = POINTS.find((point) => parseCommandText(String(inputs[point])) !== undefined);
  if (first === undefined) return { ...inputs };
  const whole = parseCommandText(String(inputs[first]))?.parameters ?? {};
  return Object.fromEntries(
    Object.entries(inputs).map(([key, value]) => {
      if (!POINTS.includes(key)) return [key, value];
      // Of the others, only what differs.
      return [key, readableCall(value, key === first ? {} : whole)];
    }),
  );
}

function detailLines(node: GraphNode): string[] {
  const inputs = readableInputs(node.inputs);
  const detail = {
    ...(node.dependsOn.length > 0 ? { dependsOn: node.dependsOn } : {}),
    ...node.options,
    ...(Object.keys(inputs).length > 0 ? { inputs } : {}),
  };
  if (Object.keys(detail).length === 0) return [];
  return stringify(detail, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd().split("\n");
}

/** Renders a recorded graph as an indented text that is read in review like code. */
export function renderGraph(nodes: readonly GraphNode[]): string {
  const children = Map.groupBy(nodes, ({ parent }) => parent);
  const lines: string[] = [];
  const visit = (node: GraphNode, depth: number): void => {
    const pad = "  ".repeat(depth);
    lines.push(`${pad}${node.name} <${node.type}>`);
    lines.push(...detailLines(node).map((line) => `${pad}    ${line}`.trimEnd()));
    for (const child of children.get(`${node.type}::${node.name}`) ?? []) visit(child, depth + 1);
  };
  for (const node of nodes) {
    if (node.type !== STACK && (node.parent === "" || node.parent.startsWith(STACK))) visit(node, 0);
  }
  return `${lines.join("\n")}\n`;
}
