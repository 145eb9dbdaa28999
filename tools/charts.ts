// Renders the charts of the catalogue with the real Helm and our values, in three topologies, and looks at what comes out.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { format } from "prettier";
import { CATALOGUE } from "../components/platform/catalogue.ts";
import { mergeValues } from "../components/helm-values.ts";
import type { ReleaseDefinition } from "../components/platform/release.ts";
import { readVersions } from "../stacks/versions.ts";
import { KINDS, releaseFixture } from "../test/support/release-fixtures.ts";
import { TOPOLOGIES } from "../test/support/topologies.ts";
import { chartPath, chartVersion, helmVersion, renderChart, wrongDigest } from "./charts/helm.ts";
import { inspectManifests, unsized } from "./charts/inspect.ts";

const USAGE = "npm run charts -- verify [<release>…] [--charts <folder>] [--record]";
const RECORD = new URL("../components/platform/rendered.json", import.meta.url);

async function verify(
  definition: ReleaseDefinition,
  folder: string | undefined,
): Promise<{ version?: string; problems: string[]; notes: string[] }> {
  const pin = readVersions().releases[definition.name];
  if (pin === undefined) return { problems: [], notes: [] };
  const chart = await chartPath(definition.name, pin, folder);
  if ("failure" in chart) return { problems: [chart.failure], notes: [] };
  const wrong = wrongDigest(chart.path, pin);
  if (wrong !== undefined) return { problems: [wrong], notes: [] };
  const problems = new Set<string>();
  const notes = new Set<string>();
  for (const kind of KINDS) {
    const settings = definition.schema.parse(releaseFixture(definition.name, kind)) as {
      values: Record<string, unknown>;
    };
    for (const [name, topology] of Object.entries(TOPOLOGIES)) {
      // With an annotation, so that the chart's schema has its say on where pods take one.
      const annotated = definition.podAnnotations?.({ "example.com/annotation": "1" }) ?? {};
      const values = mergeValues(definition.values(topology, settings as never), annotated, settings.values);
      const rendered = await renderChart(chart.path, definition, values);
      const found =
        "failure" in rendered
          ? [rendered.failure]
          : inspectManifests(definition, topology, settings, rendered.manifests);
      for (const problem of found) problems.add(`${kind}, ${name}: ${problem}`);
      if ("manifests" in rendered) for (const note of unsized(rendered.manifests)) notes.add(note);
    }
  }
  return { version: await chartVersion(chart.path), problems: [...problems], notes: [...notes] };
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { charts: { type: "string" }, record: { type: "boolean", default: false } },
  });
  const [command, ...names] = positionals;
  const known = CATALOGUE.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (command !== "verify" || unknown.length > 0) {
    console.error(
      unknown.length > 0
        ? `found ${unknown.join(", ")} · allowed ${known.join(", ")} · fix: write a release of the catalogue`
        : USAGE,
    );
    return 2;
  }
  const helm = await helmVersion();
  if (helm === undefined) {
    console.error(
      "no helm on PATH · fix: https://helm.sh/docs/intro/install/, or go install helm.sh/helm/v3/cmd/helm@v3.20.1",
    );
    return 2;
  }
  console.log(`helm ${helm}: ${KINDS.length} settings × ${Object.keys(TOPOLOGIES).length} topologies a release`);
  const record = JSON.parse(readFileSync(RECORD, "utf8")) as Record<string, string>;
  let failed = 0;
  for (const definition of CATALOGUE.filter(
    ({ name, kind }) => kind === "chart" && (names.length === 0 || names.includes(name)),
  )) {
    const { version, problems, notes } = await verify(definition, values.charts);
    if (problems.length > 0) failed++;
    if (version !== undefined && problems.length === 0) record[definition.name] = version;
    console.log(`${problems.length === 0 ? "ok  " : "NOT "} ${definition.name} ${version ?? ""}`);
    for (const problem of problems.slice(0, 12)) console.log(`       ${problem}`);
    for (const note of notes) console.log(`       note: ${note}`);
    if (problems.length > 12) console.log(`       and ${problems.length - 12} more`);
  }
  if (values.record) {
    const sorted = Object.fromEntries(
      Object.entries(record)
        .filter(([name]) => known.includes(name))
        .sort(),
    );
    writeFileSync(RECORD, await format(JSON.stringify(sorted), { parser: "json" }));
    console.log("components/platform/rendered.json is written; npm run catalogue shows it");
  }
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
