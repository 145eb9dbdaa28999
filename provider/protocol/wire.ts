import struct, { type JavaScriptValue, type Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { isDeepStrictEqual } from "node:util";

/** A property value without its secret wrapping. */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [name: string]: Value };

/** Property values by name. */
export type Values = Readonly<Record<string, Value>>;

/** What the engine sends for a value that is not known yet; the same text stands for it in {@link Values}. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/**
 * The engine's signatures of special objects.
 * https://github.com/pulumi/pulumi/blob/v3.259.0/sdk/go/common/resource/sig/sig.go
 */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT_VALUE = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** A message's properties: plain values, and the names of those that held a secret anywhere inside. */
export interface Received {
  readonly values: Values;
  readonly secrets: ReadonlySet<string>;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Unwraps secrets and output values at any depth; calls `found` for every secret. */
function unwrap(value: unknown, found: () => void): Value {
  if (Array.isArray(value)) return value.map((entry) => unwrap(entry, found));
  if (!isObject(value)) return value as Value;
  const signature = value[SIGNATURE];
  if (signature === SECRET) {
    found();
    return unwrap(value["value"], found);
  }
  if (signature === OUTPUT_VALUE) {
    if (value["secret"] === true) found();
    return value["value"] === undefined ? UNKNOWN : unwrap(value["value"], found);
  }
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, unwrap(entry, found)]));
}

/** Reads a message's properties. */
export function receive(message: Struct | undefined): Received {
  const secrets = new Set<string>();
  const entries = Object.entries((message?.toJavaScript() ?? {}) as Record<string, unknown>);
  const values = Object.fromEntries(entries.map(([name, value]) => [name, unwrap(value, () => secrets.add(name))]));
  return { values, secrets };
}

/** Writes a message's properties; the named ones travel as secrets. */
export function send(values: Values, secrets: Iterable<string> = []): Struct {
  const hidden = new Set(secrets);
  const entries = Object.entries(values).map(([name, value]): [string, JavaScriptValue] => [
    name,
    (hidden.has(name) && value !== UNKNOWN ? { [SIGNATURE]: SECRET, value } : value) as JavaScriptValue,
  ]);
  return struct.Struct.fromJavaScript(Object.fromEntries(entries));
}

/** Whether a value is, or holds, one that is not known yet. */
export function hasUnknown(value: Value | undefined): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return (value as readonly Value[]).some(hasUnknown);
  return isObject(value) && Object.values(value as Values).some(hasUnknown);
}

/** Top-level names whose values differ; a value that is not known yet differs from every other. */
export function changedNames(olds: Values, news: Values): string[] {
  const names = new Set([...Object.keys(olds), ...Object.keys(news)]);
  return [...names].filter((name) => !name.startsWith("__") && !isDeepStrictEqual(olds[name], news[name])).sort();
}

/** The value at a dotted path, such as `metadata.name`; undefined where there is none. */
export function valueAt(values: Values, path: string): Value | undefined {
  return path
    .split(".")
    .reduce<Value | undefined>((value, name) => (isObject(value) ? (value as Values)[name] : undefined), values);
}
