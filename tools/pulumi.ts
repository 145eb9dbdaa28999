import { spawn } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { realEffects } from "./toolchain/effects.ts";
import { resolveCli, ToolchainError } from "./toolchain/resolve.ts";

/**
 * Runs the Pulumi CLI with the Node that this project installs: Pulumi starts programs with the first `node` on PATH,
 * and an older one cannot read TypeScript.
 */
async function main(): Promise<number> {
  const cli = await resolveCli(realEffects((line) => console.error(line)));
  const path = [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
  const child = spawn(cli.path, process.argv.slice(2), { stdio: "inherit", env: { ...process.env, PATH: path } });
  // The terminal sends an interrupt to the whole group: the CLI ends in its own time, and this waits for it.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof ToolchainError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
