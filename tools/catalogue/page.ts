import { z } from "zod";
import { CATALOGUE } from "../../components/platform/catalogue.ts";
import { type ReleaseDefinition, SECTIONS } from "../../components/platform/release.ts";
import rendered from "../../components/platform/rendered.json" with { type: "json" };
import { readVersions, type Versions } from "../../stacks/versions.ts";

/** What stands around the generated part of docs/platform.md. */
export const MARKS = { start: "<!-- npm run catalogue writes from here -->", end: "<!-- to here -->" } as const;

type Schema = z.core.JSONSchema.JSONSchema;
/** By release: the chart's version with which helm rendered its values. */
type Rendered = Readonly<Record<string, string>>;

/** What is known of the releases beside their definitions. */
interface Known {
  readonly versions: Versions;
  readonly rendered: Rendered;
}

/** Keys that every release has; docs/settings.md tells of them. */
const SHARED = new Set(["place", "values"]);

const table = (rows: readonly (readonly string[])[]): string => {
  const [head = [], ...body] = rows;
  return [head, head.map(() => "---"), ...body].map((row) => `| ${row.join(" | ")} |`).join("\n");
};

const cell = (text: string): string => text.replaceAll("|", "\\|");

/** Rows of the keys of a schema, those inside of objects after the object; `<name>` stands for names of the user's own. */
function settingRows(schema: Schema, path = ""): string[][] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    if (typeof inner !== "object" || (path === "" && SHARED.has(key))) return [];
    const here = path === "" ? key : `${path}.${key}`;
    const fallback =
      inner.default === undefined ? (required.has(key) ? "required" : "") : `\`${JSON.stringify(inner.default)}\``;
    const each =
      typeof inner.additionalProperties === "object" ? settingRows(inner.additionalProperties, `${here}.<name>`) : [];
    const kinds = [...(inner.anyOf ?? []), ...(inner.oneOf ?? [])].flatMap((one) =>
      typeof one === "object" ? settingRows(one, here) : [],
    );
    const listed =
      typeof inner.items === "object" && !Array.isArray(inner.items) ? settingRows(inner.items, `${here}[]`) : [];
    return [
      [`\`${here}\``, fallback, cell(inner.description ?? "")],
      ...settingRows(inner, here),
      ...each,
      ...kinds,
      ...listed,
    ];
  });
}

const LEVELS = {
  existing: "one that is there",
  restricted: "restricted",
  baseline: "baseline",
  privileged: "privileged",
} as const;

function checked({ name, kind }: ReleaseDefinition, { versions, rendered: known }: Known): string {
  if (kind === "objects") return "no chart";
  const version = known[name];
  if (version === undefined)
    return "**not rendered yet**: its values were checked against the chart's source or documentation alone";
  const pinned = versions.releases[name]?.version;
  return version === pinned ? "rendered with helm" : `rendered with helm, chart ${version}`;
}

function releaseText(definition: ReleaseDefinition, known: Known): string {
  const chart = known.versions.releases[definition.name];
  const rows = settingRows(z.toJSONSchema(definition.schema, { io: "input", unrepresentable: "any" }));
  const after = definition.after ?? [];
  const facts = [
    ["Namespace", `\`${definition.namespace}\`, pod security: ${LEVELS[definition.podSecurity]}`],
    ...(chart === undefined
      ? []
      : [
          [
            "Chart",
            `\`${chart.chart}\` ${chart.version} of ${chart.repository.startsWith("oci:") ? `\`${chart.repository}\`` : `<${chart.repository}>`}`,
          ],
        ]),
    ["Values", checked(definition, known)],
    ...(after.length === 0 ? [] : [["Comes after", after.map((name) => `\`${name}\``).join(", ")]]),
    ["Documentation", `<${definition.home}>`],
  ];
  return [
    `### \`${definition.name}\``,
    `${definition.summary.charAt(0).toUpperCase()}${definition.summary.slice(1)}.`,
    facts.map(([what, value]) => `- ${what}: ${value}`).join("\n"),
    rows.length === 0 ? "It has no settings of its own." : table([["Setting", "Default", "What it is"], ...rows]),
  ].join("\n\n");
}

/** The generated part of docs/platform.md: every release by section, with its settings. */
export function cataloguePage(known: Partial<Known> = {}): string {
  const all: Known = { versions: known.versions ?? readVersions(), rendered: known.rendered ?? rendered };
  return SECTIONS.flatMap((section) => {
    const releases = CATALOGUE.filter((definition) => definition.section === section);
    if (releases.length === 0) return [];
    return [`## ${section}`, ...releases.map((definition) => releaseText(definition, all))];
  }).join("\n\n");
}

/** Puts the generated part into the page. */
export function withCatalogue(page: string, generated: string): string {
  const [start, end] = [page.indexOf(MARKS.start), page.indexOf(MARKS.end)];
  if (start < 0 || end < start)
    throw new Error(`docs/platform.md: found no ${MARKS.start} before ${MARKS.end} · fix: put both back`);
  return `${page.slice(0, start)}${MARKS.start}\n\n${generated}\n\n${page.slice(end)}`;
}
