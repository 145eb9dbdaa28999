import { execFileSync } from "node:child_process";
import { kubeconfigFromState } from "./kubeconfig/kubeconfig-from-state.ts";

const [stack, ...rest] = process.argv.slice(2);
if (stack === undefined || stack.startsWith("-") || rest.length > 0) {
  console.error(
    "npm run --silent kubeconfig -- <stack>   prints the administrator's kubeconfig from the stack's state",
  );
  process.exitCode = 2;
} else {
  try {
    const exported = execFileSync("pulumi", ["stack", "export", "--show-secrets", "--stack", stack], {
      encoding: "utf8",
      maxBuffer: 1 << 30,
      stdio: ["ignore", "pipe", "inherit"],
    });
    process.stdout.write(kubeconfigFromState(exported));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    console.error(
      missing ? "pulumi is not on PATH · fix: npm run toolchain says where one is" : (error as Error).message,
    );
    process.exitCode = 1;
  }
}
