import { closest, distance } from "fastest-levenshtein";
import type { z } from "zod";
import { RETIRED } from "../../components/platform/retired.ts";
import { secretsIn } from "../../components/secret-schema.ts";
import { unpack } from "../../components/strict-schema.ts";
import { describeFound, formatPath, ruleAt, type Problem } from "./problem.ts";

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
    const retired = path.join() === "platform" && Object.hasOwn(RETIRED, key) ? RETIRED[key] : undefined;
    if (retired !== undefined) return { path: [...path, key], ...retired, allowed, harmless: true };
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

/** What was read: the settings, and the paths of those that are never shown, encrypted or not. */
interface Read {
  readonly input: unknown;
  readonly hidden: ReadonlySet<string>;
}

/** What stands at a path. That a text is empty is all that is said of a secret one. */
function foundAt({ input, hidden }: Read, path: readonly PropertyKey[]): string {
  const value = valueAt(input, path);
  if (!hidden.has(formatPath(path)) || value === "" || typeof value === "object") return describeFound(value);
  return `a ${typeof value === "string" ? "text" : typeof value} that is not shown`;
}

function issueProblems(read: Read, issue: z.core.$ZodIssue, base: readonly PropertyKey[]): Problem[] {
  const path = [...base, ...issue.path];
  const rule = unpack(issue.message);
  if (issue.code === "unrecognized_keys") return unknownKeys(path, issue.keys, rule.allowed);
  if (issue.code === "invalid_key") {
    const key = JSON.stringify(String(path.at(-1)));
    return [{ path, found: `the key ${key}`, ...unpack(issue.issues[0]?.message ?? issue.message), harmless: true }];
  }
  if (issue.code === "invalid_union") {
    const branch = nearestBranch(issue.errors);
    if (branch !== undefined) return branch.flatMap((inner) => issueProblems(read, inner, path));
  }
  const found = foundAt(read, path);
  return [{ path, found, ...ruleAt(path, rule), harmless: valueAt(read.input, path) === undefined }];
}

/** Every mistake that Zod found in `input`, in the words of the rules of the schema, which also says what is a secret. */
export function zodProblems(schema: z.ZodType, input: unknown, error: z.ZodError): Problem[] {
  const hidden = new Set(secretsIn(schema, input).map(({ path }) => formatPath(path)));
  return error.issues.flatMap((issue) => issueProblems({ input, hidden }, issue, []));
}
