import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { hostsLevel } from "./test/hosts-level.ts";
import { realEffects } from "./toolchain/effects.ts";
import { resolveCli } from "./toolchain/resolve.ts";

/** Test levels in the order they run: each proves more, and needs more, than the one before. */
const LEVELS = [
  { name: "unit", proves: "text, arithmetic, settings, guardrails" },
  { name: "components", proves: "resources, options and secrets of each component" },
  { name: "stacks", proves: "every stack's graph" },
  { name: "engine", proves: "real Pulumi engine, simulated hosts and cluster" },
  { name: "hosts", proves: "real scripts on real Debian hosts in network namespaces" },
] as const;

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly note: string;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly success: boolean;
}

const root = fileURLToPath(new URL("..", import.meta.url));

const run = (argv: readonly string[]): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), ...argv], {
      cwd: root,
      stdio: "inherit",
    });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });

/** Runs one level and reads its counts from vitest's own report: an exit code alone hides a level that ran nothing. */
async function runLevel(name: string, filters: readonly string[], note: string): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "hybrid-k3s-test-"));
  const started = performance.now();
  try {
    const report = join(folder, "report.json");
    const passWithNone = filters.length > 0 ? ["--passWithNoTests"] : [];
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const code = await run(["run", `--project=${name}`, ...reporters, ...passWithNone, ...filters]);
    const counts = JSON.parse(readFileSync(report, "utf8")) as VitestReport;
    const failedOtherwise = code !== 0 && counts.numFailedTests === 0 ? 1 : 0;
    return {
      passed: counts.numPassedTests,
      failed: counts.numFailedTests + failedOtherwise,
      skipped: counts.numPendingTests + counts.numTodoTests,
      seconds: (performance.now() - started) / 1000,
      note: failedOtherwise === 1 ? "vitest ended with an error outside the tests" : note,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

async function main(): Promise<number> {
  const named = process.argv.slice(2).filter((word) => LEVELS.some(({ name }) => name === word));
  const filters = process.argv.slice(2).filter((word) => !named.includes(word));
  const outcomes = new Map<string, Outcome>();
  for (const { name } of LEVELS) {
    if (named.length > 0 && !named.includes(name)) {
      outcomes.set(name, { passed: 0, failed: 0, skipped: 0, seconds: 0, note: "not asked for" });
      continue;
    }
    // Once, and outside every test's time limit: it may have to be built.
    if (name === "engine" || name === "hosts") await resolveCli(realEffects(console.error));
    const hosts = name === "hosts" ? await hostsLevel() : { run: true, note: "" };
    outcomes.set(
      name,
      hosts.run
        ? await runLevel(name, filters, hosts.note)
        : { passed: 0, failed: 0, skipped: 0, seconds: 0, note: hosts.note },
    );
  }
  const rows = LEVELS.map(({ name, proves }) => {
    const outcome = outcomes.get(name);
    const ran = outcome !== undefined && outcome.passed + outcome.failed + outcome.skipped > 0;
    return [
      name,
      ran ? String(outcome.passed) : "–",
      ran ? String(outcome.failed) : "–",
      ran ? String(outcome.skipped) : "–",
      ran ? `${outcome.seconds.toFixed(0)} s` : "skipped",
      proves,
      outcome?.note ?? "",
    ];
  });
  console.log(`\n${table([["level", "passed", "failed", "skipped", "took", "proves", "note"], ...rows])}\n`);
  const sum = (of: (outcome: Outcome) => number): number =>
    [...outcomes.values()].reduce((total, outcome) => total + of(outcome), 0);
  const failed = sum(({ failed }) => failed);
  const empty = LEVELS.filter(({ name }) => {
    const outcome = outcomes.get(name);
    const nothing = outcome === undefined || outcome.passed + outcome.failed === 0;
    return nothing && name !== "hosts" && named.length === 0 && filters.length === 0;
  });
  for (const { name } of empty) console.log(`level ${name} ran no test: that is a failure`);
  console.log(
    `${sum(({ passed }) => passed)} passed, ${failed + empty.length} failed, ${sum(({ skipped }) => skipped)} skipped`,
  );
  return failed + empty.length === 0 ? 0 : 1;
}

process.exitCode = await main();
