import { inline } from "./edit.ts";
import { linesOf, type PolicyLine, type PolicyParts } from "./lines.ts";
import { mergeLines } from "./merge.ts";

/** A whole policy file of one region: nothing but its parts. */
export function renderPolicy(parts: PolicyParts, owner: string): string {
  const heading = [
    `// The policy file of the region ${owner}. hybrid-k3s writes the whole of it (mesh.policy: managed):`,
    "// what is changed here by hand is lost with the next update.",
  ];
  const empty = `${heading.join("\n")}\n{\n  "grants": []\n}\n`;
  // The same writer as for files of other people; it has no comment to make in a file that is all ours.
  return mergeLines(empty, linesOf(parts), owner).text.replaceAll(` // hybrid-k3s:${owner}`, "");
}

/** Lines for a person who has to write them: section by section, ready to be pasted. */
export function describeLines(lines: readonly PolicyLine[]): string {
  const bySection = Map.groupBy(lines, ({ path }) =>
    path[0] === "autoApprovers" ? path.slice(0, 2).join(".") : (path[0] ?? ""),
  );
  return [...bySection]
    .map(([section, list]) => {
      const depth = section.split(".").length;
      const byKey = Map.groupBy(list, ({ path }) => path[depth] ?? "");
      const entries = [...byKey].flatMap(([key, ofKey]) => {
        const values = ofKey.flatMap(({ value }) => (value === undefined ? [] : [value]));
        return key === "" ? values.map((value) => `${inline(value)},`) : [`${JSON.stringify(key)}: ${inline(values)},`];
      });
      return [`in ${section}:`, ...entries.map((entry) => `  ${entry}`)].join("\n");
    })
    .join("\n");
}
