import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const PROJECT_FOLDER = fileURLToPath(new URL("..", import.meta.url));

const stepInto = (tree: unknown, step: PropertyKey): unknown =>
  typeof tree === "object" && tree !== null && Object.hasOwn(tree, step) ? Reflect.get(tree, step) : undefined;

/**
 * Tells of settings whether they stand in the stack's own file as they are. The engine knows of a whole object whether
 * anything in it is encrypted, and not what.
 * @param stack name of the stack; where it has no file beside the program, nothing is known to stand in plain text
 * @param folder where Pulumi.yaml is
 * @returns a test of a setting's path, without the project's name before it
 */
export function plainIn(
  stack: string,
  project: string,
  folder = PROJECT_FOLDER,
): (path: readonly PropertyKey[]) => boolean {
  const file = join(folder, `Pulumi.${stack}.yaml`);
  if (!existsSync(file)) return () => false;
  const config = stepInto(parse(readFileSync(file, "utf8")), "config");
  return ([key = "", ...rest]) => {
    const named = stepInto(config, `${project}:${String(key)}`) ?? stepInto(config, key);
    // An encrypted value is an object with the key `secure`.
    const found = rest.reduce(stepInto, named);
    return typeof found === "string" || typeof found === "number";
  };
}
