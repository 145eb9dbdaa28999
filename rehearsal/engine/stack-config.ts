import { parse } from "yaml";
import { placeholderKey } from "./placeholder-key.ts";

/** The setting that a rehearsal must not need: it is put in where the file has none. */
const PRIVATE_KEY = "sshPrivateKey";
const PREVIOUS_PRIVATE_KEY = "previousSshPrivateKey";

/** Stands in for the key that a rehearsal must not need. */
const PLACEHOLDER_KEY = placeholderKey("rehearsal");

const PLACEHOLDER = "placeholder";

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
  const found: string[] = [];
  const plain = withoutEncrypted(config, "", found) as Record<string, unknown>;
  const named = Object.fromEntries(
    Object.entries(plain).map(([name, value]) => [name.includes(":") ? name : `${project}:${name}`, value]),
  );
  const key = `${project}:${PRIVATE_KEY}`;
  const secret: Record<string, string> = {};
  const previous = `${project}:${PREVIOUS_PRIVATE_KEY}`;
  for (const path of found) {
    secret[path] = path === key ? PLACEHOLDER_KEY : path === previous ? placeholderKey("previous") : PLACEHOLDER;
  }
  if (!(key in named)) secret[key] ??= PLACEHOLDER_KEY;
  return { plain: named, secret };
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
