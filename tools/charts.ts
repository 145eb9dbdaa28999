// Renders the charts of the catalogue with the real Helm and our values, in three topologies, and looks at what comes out.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { format } from "prettier";
import { CATALOGUE } from "../components/platform/catalogue.ts";
import type { ChartPin } from "../components/platform/chart-pin.ts";
import { ciliumValues } from "../components/k3s/cilium-values.ts";
import { mergeValues } from "../components/helm-values.ts";
import type { ReleaseDefinition } from "../components/platform/release.ts";
import { readVersions } from "../stacks/versions.ts";
import { KINDS, releaseFixture } from "../test/support/release-fixtures.ts";
import { ciliumPlan } from "../test/support/sample.ts";
import { TOPOLOGIES } from "../test/support/topologies.ts";
import { chartPath, chartVersion, helmVersion, renderChart, wrongDigest } from "./charts/helm.ts";
import { inspectManifests, unsized } from "./charts/inspect.ts";

const USAGE = "npm run charts -- verify [<release>…] [--charts <folder>] [--record]";
/** The pod network: no release of the catalogue, but a chart like theirs. */
const CILIUM = "cilium";
const RECORD = new URL("../components/platform/rendered.json", import.meta.url);

/** What was found of a chart; without a version it was not rendered. */
interface Verified {
  readonly version?: string;
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

/** A chart on this computer that is the recorded one, or why there is none. */
async function recordedChart(
  name: string,
  pin: ChartPin,
  folder: string | undefined,
): Promise<{ path: string } | { failure: string }> {
  const chart = await chartPath(name, pin, folder);
  const wrong = "path" in chart ? wrongDigest(chart.path, pin) : undefined;
  return wrong === undefined ? chart : { failure: wrong };
}

/** Cilium's values are looked at by the chart's own schema alone: its agents need what no other pod may. */
async function verifyCilium(folder: string | undefined): Promise<Verified> {
  const chart = await recordedChart(CILIUM, readVersions().cilium, folder);
  if ("failure" in chart) return { problems: [chart.failure], notes: [] };
  const values = ciliumValues(ciliumPlan({ hubble: true }), 3);
  const rendered = await renderChart(chart.path, { name: CILIUM, namespace: "kube-system" }, values);
  const problems = "failure" in rendered ? [rendered.failure] : [];
  return { version: await chartVersion(chart.path), problems, notes: [] };
}

async function verify(definition: ReleaseDefinition, folder: string | undefined): Promise<Verified> {
  const pin = readVersions().releases[definition.name];
  if (pin === undefined) return { problems: [], notes: [] };
  const chart = await recordedChart(definition.name, pin, folder);
  if ("failure" in chart) return { problems: [chart.failure], notes: [] };
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

function tell(name: string, { version, problems, notes }: Verified): void {
  console.log(`${problems.length === 0 ? "ok  " : "NOT "} ${name} ${version ?? ""}`);
  for (const problem of problems.slice(0, 12)) console.log(`       ${problem}`);
  for (const note of notes) console.log(`       note: ${note}`);
  if (problems.length > 12) console.log(`       and ${problems.length - 12} more`);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { charts: { type: "string" }, record: { type: "boolean", default: false } },
  });
  const [command, ...names] = positionals;
  const known = [...CATALOGUE.map(({ name }) => name), CILIUM];
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
  const charts = [
    ...CATALOGUE.filter(({ kind }) => kind === "chart").map((definition) => ({
      name: definition.name,
      look: () => verify(definition, values.charts),
    })),
    { name: CILIUM, look: () => verifyCilium(values.charts) },
  ].filter(({ name }) => names.length === 0 || names.includes(name));
  for (const { name, look } of charts) {
    const found = await look();
    const good = found.problems.length === 0;
    if (!good) failed++;
    if (found.version !== undefined && good) record[name] = found.version;
    tell(name, found);
  }
  if (values.record) {
    const sorted = Object.fromEntries(
      Object.entries(record)
        .filter(([name]) => name !== CILIUM && known.includes(name))
        .sort(),
    );
    writeFileSync(RECORD, await format(JSON.stringify(sorted), { parser: "json" }));
    console.log("components/platform/rendered.json is written; npm run catalogue shows it");
  }
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
