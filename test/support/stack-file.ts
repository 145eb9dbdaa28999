import { globSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { RecordOptions } from "./record-graph.ts";
import { placeholderKey } from "../../rehearsal/engine/placeholder-key.ts";
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

/** The configuration of a stack file as the SDK holds it: objects as JSON text, with a planted SSH key. */
export function stackConfig(
  stack: string,
): Required<Pick<RecordOptions, "config" | "secretKeys" | "state" | "answers">> {
  const file = parse(readFileSync(new URL(`Pulumi.${stack}.yaml`, root), "utf8")) as {
    config: Record<string, unknown>;
  };
  const texts = Object.entries(file.config).map(([key, value]): [string, string] => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return {
    config: { ...Object.fromEntries(texts), "hybrid-k3s:sshPrivateKey": PLANTED_KEY },
    secretKeys: ["hybrid-k3s:sshPrivateKey"],
    state: fakeOutputs,
    answers: fakeAnswers,
  };
}
