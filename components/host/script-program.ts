import * as pulumi from "@pulumi/pulumi";
import { scriptFile, type ScriptFile } from "./script-file.ts";
import { shellQuote } from "./command-text.ts";

const prelude = scriptFile(new URL("./scripts/prelude.sh", import.meta.url));

/** Values a script needs and that nobody may read: they reach it on standard input only. */
export type ScriptSecrets = Readonly<Record<string, pulumi.Input<string>>>;

/** The text a script's shell reads, without the secrets: what a digest is made of. */
export const programBody = (file: ScriptFile): string =>
  `main() {\n${prelude.body}\n${file.body}\n}\nmain </dev/null\n`;

// A command substitution drops newlines at the end, and a digest over a certificate counts them: hence the x.
const assignment = ([name, value]: [string, string]): string =>
  `${name}=$(printf %s ${shellQuote(Buffer.from(value).toString("base64"))} | base64 -d; printf x); ${name}=\${${name}%x}\n`;

/**
 * What a script gets on standard input: its secrets, then its program.
 *
 * The program is one function that is called last, so that a connection that breaks while it is sent runs nothing, and
 * so that no command inside it can swallow the rest of it.
 * @returns a secret
 */
export function scriptProgram(file: ScriptFile, secrets: ScriptSecrets): pulumi.Output<string> {
  const entries = Object.entries(secrets);
  const values = pulumi.all(entries.map(([, value]) => value));
  return pulumi.secret(
    values.apply((plain) => {
      const named = entries.map(([name], index): [string, string] => [name, plain[index] ?? ""]);
      return named.map(assignment).join("") + programBody(file);
    }),
  );
}
