import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { labFolder, tearDown } from "./teardown.ts";

/**
 * Runs beside a test process and removes its lab when that process is gone, however it went: a test runner ends a
 * stuck worker by SIGKILL, which no exit handler sees. Its standard input is the lab's prefix, and ends with the test.
 */
let prefix = "";
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  prefix = line;
});
lines.on("close", () => {
  if (prefix !== "" && existsSync(labFolder(prefix))) tearDown(prefix);
});
