import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { readConfiguration, type StackConfiguration } from "./configuration.ts";
import { readState, type StackState } from "./state.ts";

const run = promisify(execFile);
const LARGEST_STATE = 1 << 30;

/** Prints what the CLI prints. @throws Error with what it said */
async function pulumi(cli: string, args: readonly string[]): Promise<string> {
  try {
    return (await run(cli, args, { encoding: "utf8", maxBuffer: LARGEST_STATE })).stdout;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    const said = stderr?.trim() ?? "";
    throw new Error(said === "" ? (error as Error).message : said, { cause: error });
  }
}

/**
 * Reads a stack's settings and state by the Pulumi CLI. Nothing of it leaves this process.
 * @param cli path of the CLI
 * @throws Error with what is wrong and its fix
 */
export async function readStack(cli: string, stack: string): Promise<StackConfiguration & StackState> {
  const [configuration, exported] = await Promise.all([
    pulumi(cli, ["config", "--json", "--show-secrets", "--stack", stack]),
    pulumi(cli, ["stack", "export", "--show-secrets", "--stack", stack]),
  ]);
  return { ...readState(exported), ...readConfiguration(configuration) };
}
