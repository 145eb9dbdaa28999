import { parseArgs } from "node:util";
import { controlOf } from "./doctor/control.ts";
import { diagnose } from "./doctor/diagnose.ts";
import { expectationsOf } from "./doctor/expectations.ts";
import { reportText } from "./doctor/report-text.ts";
import { reportOf } from "./doctor/report.ts";
import { readStack } from "./doctor/stack.ts";
import { realEffects } from "./toolchain/effects.ts";
import { resolveCli } from "./toolchain/resolve.ts";

const HELP = `npm run doctor -- <stack> [--json] [--help]

Looks at a region that runs, over SSH and at its mesh's control plane, and says all that it finds at once, each with its
fix. Changes nothing. Needs what pulumi up needs: the stack's state and secrets, and a way to its machines.
  --json        one JSON object on standard output; everything else goes to standard error
Exit code: 0 nothing found · 1 findings · 2 it could not look: the error says why`;

interface Arguments {
  readonly stack: string;
  readonly json: boolean;
}

function readArguments(): Arguments | "help" {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
  });
  if (values.help) return "help";
  const [stack, ...rest] = positionals;
  if (stack === undefined || rest.length > 0)
    throw new Error(`found ${positionals.length} stacks · allowed one\n\n${HELP}`);
  return { stack, json: values.json };
}

async function run({ stack, json }: Arguments): Promise<number> {
  const say = (line: string): void => console.error(line);
  const cli = await resolveCli(realEffects(say));
  const { settings, privateKeys, mesh, deployed, targets } = await readStack(cli.path, stack);
  const expectations = expectationsOf(settings, deployed);
  // Settings of another mesh than the one that runs lead to another control plane.
  const known = expectations.mesh?.tag !== undefined;
  const control = known ? controlOf(settings.mesh, mesh, process.env) : undefined;
  const evidence = await diagnose({ targets, expectations, privateKeys, control, say });
  const report = reportOf(stack, evidence);
  console.log(json ? JSON.stringify(report) : reportText(report));
  return report.findings.length === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  // Without this an interrupt leaves the login key on the disk: handlers of `exit` do not run.
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.once(signal, () => process.exit(code));
  }
  try {
    const given = readArguments();
    if (given !== "help") return await run(given);
    console.log(HELP);
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
}

process.exitCode = await main();
