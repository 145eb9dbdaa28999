import { execFileSync } from "node:child_process";
import { kubeconfigFromState } from "./kubeconfig/kubeconfig-from-state.ts";
import { realEffects } from "./toolchain/effects.ts";
import { resolveCli } from "./toolchain/resolve.ts";

const [stack, ...rest] = process.argv.slice(2);
if (stack === undefined || stack.startsWith("-") || rest.length > 0) {
  console.error(
    "npm run --silent kubeconfig -- <stack>   prints the administrator's kubeconfig from the stack's state",
  );
  process.exitCode = 2;
} else {
  try {
    const cli = await resolveCli(realEffects((line) => console.error(line)));
    const exported = execFileSync(cli.path, ["stack", "export", "--show-secrets", "--stack", stack], {
      encoding: "utf8",
      maxBuffer: 1 << 30,
      stdio: ["ignore", "pipe", "inherit"],
    });
    process.stdout.write(kubeconfigFromState(exported));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
