import { stringify } from "yaml";
import type { GraphNode } from "./record-graph.ts";

const STACK = "pulumi:pulumi:Stack";

function detailLines(node: GraphNode): string[] {
  const detail = {
    ...(node.dependsOn.length > 0 ? { dependsOn: node.dependsOn } : {}),
    ...node.options,
    ...(Object.keys(node.inputs).length > 0 ? { inputs: node.inputs } : {}),
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
