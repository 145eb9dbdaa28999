import { z } from "zod";

/** What a setting may be, and how to get there. */
export interface Rule {
  /** Completes "allowed …". Holds no value of the user. */
  readonly allowed: string;
  /** Completes "fix: …", in the imperative. May repeat what was found. */
  readonly fix: string;
}

/** What values may be that settings of hosts and of releases both have. */
export const COMMON_RULES = {
  switch: { allowed: "true or false", fix: "write true or false, without quotes" },
  duration: { allowed: "a duration such as 90s, 5m or 1h30m", fix: "write a whole number with its unit: s, m or h" },
} as const satisfies Record<string, Rule>;

/** Zod carries one text per mistake, so a rule travels as JSON. */
const pack = (rule: Rule): string => JSON.stringify(rule);

/** The rule that a mistake was answered with. */
export function unpack(message: string): Rule {
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
