import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Measurement } from "./bench/measure.ts";

const SIZES = [5, 50, 500];
const root = fileURLToPath(new URL("..", import.meta.url));

function run(argv: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`${argv.join(" ")} ended with ${status ?? "a signal"}:\n${stdout}${stderr}`);
  return stdout;
}

const measure = (what: string, nodes: number): Measurement =>
  JSON.parse(
    run(["tools/bench/measure.ts", what, String(nodes)])
      .trim()
      .split("\n")
      .at(-1) ?? "",
  ) as Measurement;

/** The exponent e in time ~ nodes^e between two sizes: 1 is linear. */
const exponent = (small: number, large: number, ratio: number): string =>
  (Math.log(large / small) / Math.log(ratio)).toFixed(2);

function report(what: string, results: readonly Measurement[]): void {
  console.log(`\n${what}`);
  for (const [index, { seconds, peak, roundTrips }] of results.entries()) {
    const before = results[index - 1];
    const [size, smaller] = [SIZES[index] ?? 0, SIZES[index - 1] ?? 0];
    const growth =
      before === undefined
        ? ""
        : `  ×${(seconds / before.seconds).toFixed(1)}, exponent ${exponent(before.seconds, seconds, size / smaller)}`;
    console.log(
      `  ${String(size).padStart(4)} nodes  ${seconds.toFixed(2).padStart(7)} s  ${peak.toFixed(0).padStart(5)} MiB${growth}`,
    );
    if (roundTrips !== undefined) {
      const [first, again] = roundTrips;
      console.log(
        `             SSH sessions per node (simulated): ${first.toFixed(1)} on the first update, ${again.toFixed(1)} on one without a change`,
      );
    }
  }
}

const diagnostics = run(["node_modules/typescript/bin/tsc", "-p", ".", "--extendedDiagnostics"]);
const line = (name: string): string => new RegExp(`^${name}:\\s+(.*)$`, "m").exec(diagnostics)?.[1] ?? "?";
console.log(`tsc: ${line("Total time")}, ${line("Memory used")}, ${line("Files")} files`);
report(
  "recording the graph",
  SIZES.map((nodes) => measure("graph", nodes)),
);
report(
  "engine preview, stand-in providers (memory is the program's process, without the engine's)",
  SIZES.map((nodes) => measure("engine", nodes)),
);
