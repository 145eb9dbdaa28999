import { parse } from "yaml";
import { placeholderKey } from "./placeholder-key.ts";

/** The setting that a rehearsal must not need: it is put in where the file has none. */
const PRIVATE_KEY = "sshPrivateKey";
const PREVIOUS_PRIVATE_KEY = "previousSshPrivateKey";

/** Stands in for the key that a rehearsal must not need. */
const PLACEHOLDER_KEY = placeholderKey("rehearsal");

/** Stands in for any other encrypted text: of the form that the strictest secret has, a token of Hetzner. */
export const PLACEHOLDER = "placeholder".padEnd(64, "0");

/** Stands in for an encrypted value: a key has the form of one. */
function placeholderOf(path: string): string {
  if (path.endsWith(`:${PRIVATE_KEY}`)) return PLACEHOLDER_KEY;
  return path.endsWith(`:${PREVIOUS_PRIVATE_KEY}`) ? placeholderKey("previous") : PLACEHOLDER;
}

/** A stack's settings as the rehearsal gives them to the engine. */
export interface StackConfig {
  /** By full name, such as `hybrid-k3s:region`; encrypted values are taken out. */
  readonly plain: Readonly<Record<string, unknown>>;
  /** Placeholders for encrypted values, by path such as `hybrid-k3s:backups.secretKey`. */
  readonly secret: Readonly<Record<string, string>>;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isEncrypted = (value: unknown): boolean =>
  isObject(value) && Object.keys(value).length === 1 && typeof value["secure"] === "string";

/** Takes encrypted values out of a tree; their paths go to `found`. */
function withoutEncrypted(value: unknown, path: string, found: string[]): unknown {
  if (Array.isArray(value)) {
    return value.map((entry, index) => {
      const at = `${path}[${index}]`;
      if (!isEncrypted(entry)) return withoutEncrypted(entry, at, found);
      // Its place in the list is kept.
      found.push(at);
      return PLACEHOLDER;
    });
  }
  if (!isObject(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(value)) {
    const at = path === "" ? name : `${path}["${name}"]`;
    if (isEncrypted(entry)) found.push(at);
    else kept[name] = withoutEncrypted(entry, at, found);
  }
  return kept;
}

/** A path's steps: `hybrid-k3s:backups["keys"][0]` is `hybrid-k3s:backups`, `keys`, `0`. */
const stepsOf = (path: string): readonly string[] => {
  const [name = "", ...steps] = path.split(/\["?/);
  return [name, ...steps.map((step) => step.replace(/"?\]$/, ""))];
};

/** Puts a value into a tree; what would hold it must be there. */
function withValue(tree: unknown, [step = "", ...rest]: readonly string[], value: string): unknown {
  if (Array.isArray(tree)) {
    return tree.map((entry: unknown, index) =>
      String(index) !== step ? entry : rest.length === 0 ? value : withValue(entry, rest, value),
    );
  }
  if (!isObject(tree) || (rest.length > 0 && !(step in tree))) return tree;
  return { ...tree, [step]: rest.length === 0 ? value : withValue(tree[step], rest, value) };
}

/** What holds the value at a path; undefined where it is not there. */
const holderOf = (tree: unknown, steps: readonly string[]): unknown =>
  steps
    .slice(0, -1)
    .reduce<unknown>(
      (holder, step) => (isObject(holder) || Array.isArray(holder) ? Reflect.get(holder, step) : undefined),
      tree,
    );

/** The encrypted values whose place is still there: what held one may have been edited away. */
export const placedSecrets = ({ plain, secret }: StackConfig): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(secret).filter(([path]) => typeof holderOf(plain, stepsOf(path)) === "object"));

/** Whether an edit says something else of a place than it was: it names it, or what holds it. */
function replaces(edit: unknown, [step, ...rest]: readonly string[]): boolean {
  if (step === undefined || !isObject(edit)) return true;
  return step in edit && replaces(edit[step], rest);
}

/** The encrypted values that an edit leaves as they are. */
export const secretsBeside = (
  { secret }: StackConfig,
  edit: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(secret).filter(([path]) => !replaces(edit, stepsOf(path))));

/** All settings in one tree, with the placeholders where the program finds them. */
export const wholeConfig = (config: StackConfig): Readonly<Record<string, unknown>> =>
  Object.entries(placedSecrets(config)).reduce<Record<string, unknown>>(
    (tree, [path, value]) => withValue(tree, stepsOf(path), value) as Record<string, unknown>,
    { ...config.plain },
  );

/** Takes encrypted values out of settings, and says what stands in for them. */
export function takeEncrypted(edit: Readonly<Record<string, unknown>>): StackConfig {
  const found: string[] = [];
  const plain = withoutEncrypted(edit, "", found) as Record<string, unknown>;
  return { plain, secret: Object.fromEntries(found.map((path) => [path, placeholderOf(path)])) };
}

/** A stack file that is not there, or is not one. */
export class StackFileError extends Error {
  override readonly name = "StackFileError";
}

function readYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new StackFileError(`this is not YAML: ${(error as Error).message}`);
  }
}

/**
 * Reads the text of a `Pulumi.<stack>.yaml`. Encrypted values become placeholders: a rehearsal needs no passphrase.
 * @param project name that settings without a namespace belong to
 * @throws StackFileError if the text is not a stack file
 */
export function readStackConfig(text: string, project: string): StackConfig {
  const file: unknown = readYaml(text);
  if (!isObject(file)) throw new StackFileError("this is not a stack file: a `config:` with settings is expected");
  const config = isObject(file["config"]) ? file["config"] : {};
  const named = Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name.includes(":") ? name : `${project}:${name}`, value]),
  );
  const { plain, secret } = takeEncrypted(named);
  const key = `${project}:${PRIVATE_KEY}`;
  if (!(key in named)) return { plain, secret: { ...secret, [key]: PLACEHOLDER_KEY } };
  return { plain, secret };
}

/**
 * Merges an edit into settings: objects are merged key by key, null deletes a key, everything else replaces.
 * @returns a new tree; neither argument is changed
 */
export function mergeConfig(base: unknown, edit: unknown): unknown {
  if (!isObject(edit)) return edit;
  const merged: Record<string, unknown> = isObject(base) ? { ...base } : {};
  for (const [name, value] of Object.entries(edit)) {
    if (value === null) Reflect.deleteProperty(merged, name);
    else merged[name] = mergeConfig(merged[name], value);
  }
  return merged;
}

/** Reads an edit: the text of a YAML file with settings, with or without a `config:` around them. */
export function readEdit(text: string, project: string): Record<string, unknown> {
  const file: unknown = parse(text);
  if (!isObject(file)) throw new Error("this is not an edit: settings to merge into the stack's own are expected");
  const edit = isObject(file["config"]) ? file["config"] : file;
  return Object.fromEntries(
    Object.entries(edit).map(([name, value]) => [name.includes(":") ? name : `${project}:${name}`, value]),
  );
}
