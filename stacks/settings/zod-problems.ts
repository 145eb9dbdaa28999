import { closest, distance } from "fastest-levenshtein";
import type { z } from "zod";
import { RETIRED } from "../../components/platform/retired.ts";
import { unpack } from "../../components/strict-schema.ts";
import { describeFound, type Problem } from "./problem.ts";

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
