import { globSync, readFileSync } from "node:fs";
import type { RecordOptions } from "./record-graph.ts";
import { placeholderKey } from "../../rehearsal/engine/placeholder-key.ts";
import { readStackConfig, wholeConfig } from "../../rehearsal/engine/stack-config.ts";
import { fakeAnswers, fakeOutputs } from "./fakes.ts";

/** A real private key, and the part of its text that must appear nowhere. */
const PLANTED_KEY = placeholderKey("planted");
/** Text that is only in the planted key. */
export const PLANTED_SECRET = PLANTED_KEY.split("\n")[1]!.slice(-30);

const root = new URL("../../", import.meta.url);

/** Names of every stack of the project, from its Pulumi.<stack>.yaml files. */
export const stackNames = (): string[] =>
  globSync("Pulumi.*.yaml", { cwd: root })
    .map((file) => file.replace(/^Pulumi\.|\.yaml$/g, ""))
    .sort();

/** The text that stands where a stack file has an encrypted value, and that must appear nowhere. */
export const PLANTED_VALUE = "planted-value";

/** The settings of a stack file by full name, decrypted, and the names of those that hold an encrypted value. */
export function decrypted(stack: string): { values: Readonly<Record<string, unknown>>; secretKeys: readonly string[] } {
  const config = readStackConfig(readFileSync(new URL(`Pulumi.${stack}.yaml`, root), "utf8"), "hybrid-k3s");
  const secret = Object.fromEntries(Object.keys(config.secret).map((path) => [path, PLANTED_VALUE]));
  const values = { ...wholeConfig({ ...config, secret }), "hybrid-k3s:sshPrivateKey": PLANTED_KEY };
  return { values, secretKeys: [...new Set(Object.keys(secret).map((path) => path.replace(/\[.*/, "")))] };
}

/** The configuration of a stack file as the SDK holds it: objects as JSON text, with a planted SSH key. */
export function stackConfig(
  stack: string,
): Required<Pick<RecordOptions, "config" | "secretKeys" | "state" | "answers">> {
  const { values, secretKeys } = decrypted(stack);
  const texts = Object.entries(values).map(([key, value]): [string, string] => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return { config: Object.fromEntries(texts), secretKeys, state: fakeOutputs, answers: fakeAnswers };
}
