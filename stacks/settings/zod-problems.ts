import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import { describeFound, type Problem, type Rule } from "./problem.ts";

/** Zod carries one text per mistake, so a rule travels as JSON. */
const pack = (rule: Rule): string => JSON.stringify(rule);

function unpack(message: string): Rule {
  try {
    return JSON.parse(message) as Rule;
  } catch {
    // A schema without a rule of its own: Zod's English text is still better than nothing.
    return { allowed: "what docs/settings.md says", fix: message };
  }
}

/** The `error` option of a schema: every mistake in its value is answered with this rule. */
export const saying = (rule: Rule): { readonly error: () => string } => ({ error: () => pack(rule) });

/** A mistake that a check of several values found in the one at `path`. */
export const breaking = (rule: Rule, path: PropertyKey[] = []) =>
  ({ code: "custom", message: pack(rule), path }) as const;

/**
 * A text that passes a test.
 * @param advise a better fix for a text that fails; undefined falls back to the rule's
 */
export const text = (rule: Rule, test: (value: string) => boolean, advise?: (value: string) => string | undefined) =>
  z.string(saying(rule)).refine(test, {
    error: (issue) => pack({ ...rule, fix: advise?.(issue.input as string) ?? rule.fix }),
  });

/** A whole number within bounds, both included. */
export const wholeNumber = (rule: Rule, least: number, most = Number.MAX_SAFE_INTEGER) =>
  z.int(saying(rule)).min(least, saying(rule)).max(most, saying(rule));

/** An object with these keys and no others. */
export const strict = <Shape extends z.ZodRawShape>(shape: Shape) => {
  const keys = Object.keys(shape).sort().join(", ");
  const rule = { allowed: `an object with the keys ${keys}`, fix: "write it as an object" };
  // The rule of an unknown key lists the keys in `allowed`: its fix depends on the key, see `unknownKeys`.
  return z.strictObject(shape, {
    error: (issue) => pack(issue.code === "unrecognized_keys" ? { allowed: keys, fix: "" } : rule),
  });
};

/** Any names, each with such a value; at least one of them. */
export const named = <Value extends z.ZodType>(rule: Rule, value: Value) =>
  z.record(z.string(), value, saying(rule)).refine((record) => Object.keys(record).length > 0, saying(rule));

/** A key that a test has nothing to say against. */
export const keyRuledBy = (test: (key: string) => Rule | undefined) =>
  z.string().superRefine((key, context) => {
    const rule = test(key);
    if (rule !== undefined) context.addIssue(breaking(rule));
  });

/** The `error` option of a union on `provider`. */
export const kinds = (rule: Rule) => ({
  error: (issue: { readonly code?: string }) =>
    pack(
      issue.code === "invalid_union" ? rule : { allowed: "an object with a provider", fix: "write it as an object" },
    ),
});

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function unknownKeys(path: readonly PropertyKey[], keys: readonly string[], allowed: string): Problem[] {
  return keys.map((key) => {
    const nearest = closest(key, allowed.split(", "));
    const near = distance(key.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, Math.floor(key.length / 3));
    return {
      path: [...path, key],
      found: "an unknown key",
      allowed,
      fix: near ? `write "${nearest}" in its place, or remove it` : "remove it",
      harmless: true,
    };
  });
}

/** Of a union's branches, the one that the value came nearest to: the one whose mistakes lie deepest. */
function nearestBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  const deep = branches.filter((issues) => issues.some((issue) => issue.path.length > 0 || "keys" in issue));
  return deep[0];
}

/** Settings whose value is never shown, encrypted or not. */
const HIDDEN: ReadonlySet<PropertyKey> = new Set([
  "token",
  "apiKey",
  "oauthClientId",
  "oauthClientSecret",
  "identityToken",
]);

function issueProblems(input: unknown, issue: z.core.$ZodIssue, base: readonly PropertyKey[]): Problem[] {
  const path = [...base, ...issue.path];
  const rule = unpack(issue.message);
  if (issue.code === "unrecognized_keys") return unknownKeys(path, issue.keys, rule.allowed);
  if (issue.code === "invalid_key") {
    const key = JSON.stringify(String(path.at(-1)));
    return [{ path, found: `the key ${key}`, ...unpack(issue.issues[0]?.message ?? issue.message), harmless: true }];
  }
  if (issue.code === "invalid_union") {
    const branch = nearestBranch(issue.errors);
    if (branch !== undefined) return branch.flatMap((inner) => issueProblems(input, inner, path));
  }
  const value = valueAt(input, path);
  const found =
    HIDDEN.has(path.at(-1) ?? "") && value !== undefined ? "a text that is not shown" : describeFound(value);
  return [{ path, found, ...rule, harmless: value === undefined }];
}

/** Every mistake that Zod found in `input`, in the words of the schemas' rules. */
export const zodProblems = (input: unknown, error: z.ZodError): Problem[] =>
  error.issues.flatMap((issue) => issueProblems(input, issue, []));
