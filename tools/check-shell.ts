import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";

/** Shell files of the project. */
const files = globSync([
  "components/**/*.sh",
  "provider/pulumi-resource-hybrid-k3s-mesh",
  "tools/**/*.sh",
  "test/support/**/*.sh",
  "test/support/stand-in-k3s",
  "test/support/fake-kubectl",
  "test/support/fake-limactl",
  ".ci/run",
]).sort();
const result = spawnSync("shellcheck", ["--severity=info", ...files], { stdio: "inherit" });
if (result.error !== undefined) {
  const message =
    "shellcheck is not on this computer · fix: install it (apt-get install shellcheck, brew install shellcheck)";
  console.error(process.env["CI"] === "true" ? message : `skipped: ${message}`);
  process.exitCode = process.env["CI"] === "true" ? 1 : 0;
} else {
  process.exitCode = result.status ?? 1;
}
