import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { readEdit, StackFileError } from "../rehearsal/engine/stack-config.ts";
import type { Step } from "../rehearsal/engine/steps.ts";
import { PROJECT_FOLDER } from "../rehearsal/rehearsal.ts";
import { banner, reportText } from "../rehearsal/report-text.ts";
import { reportJson, succeeded } from "../rehearsal/report.ts";
import { rehearse, type RehearsedEdit } from "../rehearsal/runner.ts";
import { World } from "../rehearsal/world/world.ts";
import { realEffects } from "./toolchain/effects.ts";
import { resolveCli, ToolchainError } from "./toolchain/resolve.ts";

const HELP = `npm run rehearse -- [stack…] [--json] [--edit file.yaml]… [--plugins official|stand-in] [--destroy] [--help]

Runs a stack's own program and settings through the real Pulumi engine against simulated hosts: preview, update, and a
second preview that must be clean. Needs no account, no secret and no host. Without a stack: prod. Several stacks are
rehearsed one after another in one world.
  --edit FILE   after the first update, merge FILE into the settings (null deletes a key), show the steps, run them
  --destroy     delete everything at the end
  --plugins     official: use official random and tls plugins where they are on this computer (default: stand-in)
  --json        one JSON object per stack and line on standard output; everything else goes to standard error
Exit code: 0 all went through and every second preview was clean · 1 refused, failed or not clean · 2 wrong usage`;

interface Arguments {
  readonly stacks: readonly string[];
  readonly json: boolean;
  readonly destroy: boolean;
  readonly edits: readonly string[];
  readonly plugins: "official" | "stand-in";
}

class UsageError extends Error {}

function readArguments(): Arguments | "help" {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        destroy: { type: "boolean", default: false },
        edit: { type: "string", multiple: true, default: [] },
        plugins: { type: "string", default: "stand-in" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return "help";
    const { plugins } = values;
    if (plugins !== "official" && plugins !== "stand-in") {
      throw new UsageError(`--plugins: found ${plugins} · allowed official, stand-in`);
    }
    const stacks = positionals.length === 0 ? ["prod"] : positionals;
    return { stacks, json: values.json, destroy: values.destroy, edits: values.edit, plugins };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}

async function readEdits(files: readonly string[]): Promise<RehearsedEdit[]> {
  return Promise.all(
    files.map(async (file) => {
      try {
        return { name: basename(file), change: readEdit(await readFile(file, "utf8"), "hybrid-k3s") };
      } catch (error) {
        throw new UsageError(`--edit ${file}: ${(error as Error).message}`);
      }
    }),
  );
}

const PAST: Readonly<Record<Step["op"], string>> = {
  create: "created",
  update: "updated",
  replace: "replaced",
  delete: "deleted",
};

async function run(given: Arguments, signal: AbortSignal): Promise<number> {
  const edits = await readEdits(given.edits);
  const missing = given.stacks.filter((stack) => !existsSync(join(PROJECT_FOLDER, `Pulumi.${stack}.yaml`)));
  if (missing.length > 0)
    throw new UsageError(`there is no ${missing.map((stack) => `Pulumi.${stack}.yaml`).join(", no ")}`);
  const say = (line: string): void => {
    if (given.json) console.error(line);
    else console.log(line);
  };
  const cli = await resolveCli(realEffects((line) => console.error(line)));
  const world = new World();
  let code = 0;
  for (const stack of given.stacks) {
    if (signal.aborted) return 1;
    say(banner(stack, `pulumi v${cli.version}`));
    const onFinished = (step: Step): void => {
      const seconds = world.durations.get(step.name);
      const took = seconds === undefined ? "" : `  (${Math.round(seconds)} s simulated)`;
      if (step.custom) say(`  ${PAST[step.op].padEnd(8)} ${step.name}${took}`);
    };
    const onPhase = (phase: string): void => say(`${phase} …`);
    const { destroy, plugins } = given;
    const report = await rehearse({ stack, world, cli, edits, destroy, plugins, signal, say, onFinished, onPhase });
    if (given.json) console.log(reportJson(report));
    else say(`\n${reportText(report)}\n`);
    if (!succeeded(report)) code = 1;
  }
  return code;
}

async function main(): Promise<number> {
  const interrupted = new AbortController();
  // The engine gets the same signal from the terminal or through us, and ends its steps; then the files are removed.
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      interrupted.abort();
    });
  }
  try {
    const given = readArguments();
    if (given !== "help") return await run(given, interrupted.signal);
    console.log(HELP);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${HELP}`);
      return 2;
    }
    if (error instanceof ToolchainError || error instanceof StackFileError) {
      console.error(error.message);
      return error instanceof ToolchainError ? 1 : 2;
    }
    throw error;
  }
}

process.exitCode = await main();
