import { z } from "zod";
import { text, type Rule } from "./strict-schema.ts";

/** How a setting is kept from those who may not know it. */
interface Secrecy {
  readonly rule: Rule;
  /** Whether it has to stand encrypted in the stack's file. */
  readonly encrypted: boolean;
}

/** A setting that is there and that no message shows. */
export interface SecretSetting extends Secrecy {
  readonly path: readonly PropertyKey[];
}

/** A mark on the schema itself: a list of names beside it would miss the next secret. */
const SECRECY = z.registry<Secrecy>();

/** A text that stands encrypted in the stack's file and that no message shows. `<path>` in the rule's fix becomes its path. */
export function secret(rule: Rule, test: (value: string) => boolean) {
  const schema = text(rule, test);
  SECRECY.add(schema, { rule, encrypted: true });
  return schema;
}

/** A text that may stand in plain text, but that no message shows: people take it for a secret, or put one there. */
export function hidden(rule: Rule, test: (value: string) => boolean) {
  const schema = text(rule, test);
  SECRECY.add(schema, { rule, encrypted: false });
  return schema;
}

type Part = readonly [path: readonly PropertyKey[], schema: z.core.$ZodType, value: unknown];

const isTree = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What a schema says of the parts of a value; nothing where the value has another form. */
function partsOf(schema: z.core.$ZodType, value: unknown): readonly Part[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "object":
      return isTree(value) ? Object.entries(def.shape).map(([key, part]) => [[key], part, value[key]]) : [];
    case "record":
      return isTree(value) ? Object.entries(value).map(([key, inner]) => [[key], def.valueType, inner]) : [];
    case "array":
      return Array.isArray(value) ? value.map((inner, index) => [[index], def.element, inner]) : [];
    case "union":
      return def.options.map((option) => [[], option, value]);
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "readonly":
      return [[[], def.innerType, value]];
    case "pipe":
      return [[[], def.in, value]];
    default:
      return [];
  }
}

/** The secrets that a value holds, right or wrong, wherever the schema has one. */
export function secretsIn(
  schema: z.core.$ZodType,
  value: unknown,
  path: readonly PropertyKey[] = [],
): readonly SecretSetting[] {
  if (value === undefined || value === null) return [];
  const secrecy = SECRECY.get(schema);
  if (secrecy !== undefined) return [{ ...secrecy, path }];
  return partsOf(schema, value).flatMap(([more, part, inner]) => secretsIn(part, inner, [...path, ...more]));
}
