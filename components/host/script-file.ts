import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** A shell script of the project: a real file, so that shellcheck and editors see it. */
export interface ScriptFile {
  /** File name without `.sh`. */
  readonly name: string;
  readonly body: string;
}

/**
 * Reads a script that stands beside the code that uses it.
 * @param url `new URL("./scripts/name.sh", import.meta.url)`
 */
export function scriptFile(url: URL): ScriptFile {
  const name = url.pathname.split("/").at(-1)?.replace(/\.sh$/, "") ?? "";
  return { name, body: readFileSync(url, "utf8") };
}

/** Twelve hexadecimal digits that change with a text: programs travel as secrets, and this shows that one changed. */
export const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12);
