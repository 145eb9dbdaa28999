import type { Rule } from "../../components/strict-schema.ts";

/** One mistake in the settings. */
export interface Problem extends Rule {
  readonly path: readonly PropertyKey[];
  /** Completes "found …". */
  readonly found: string;
  /** True if `found` names keys or counts only, so that it may be shown although the setting is a secret. */
  readonly harmless?: boolean;
}

const PLAIN_KEY = /^[A-Za-z0-9_-]+$/;
const LONGEST_SHOWN = 60;

/** Writes a path the way people type it: `sites.rack.pools.control.taints[0]`, `labels["example.com/tier"]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  const parts = path.map((key, index) => {
    if (typeof key === "number") return `[${key}]`;
    const name = String(key);
    if (!PLAIN_KEY.test(name)) return index === 0 ? name : `[${JSON.stringify(name)}]`;
    return index === 0 ? name : `.${name}`;
  });
  return parts.join("");
}

/** A rule for one place: its fix names the path. */
export const ruleAt = (path: readonly PropertyKey[], { allowed, fix }: Rule): Rule => ({
  allowed,
  fix: fix.replaceAll("<path>", () => formatPath(path)),
});

/** Says what stands in the settings, short enough for one line. Private keys and passwords in addresses are never shown. */
export function describeFound(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return Object.keys(value).length === 0 ? "an empty object" : "an object";
  if (typeof value !== "string") return JSON.stringify(value);
  if (value.includes("PRIVATE KEY")) return "a private key (not shown)";
  const shown = value.replace(/\/\/[^/@\s]*@/, "//…@");
  return JSON.stringify(shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN)}…` : shown);
}

/** The form of every settings and guardrail message: `path: found … · allowed … · fix: …`. */
export const problemText = (path: string, found: string, rule: Rule): string =>
  `${path}: found ${found} · allowed ${rule.allowed} · fix: ${rule.fix}`;

/**
 * One problem as one line.
 * @param secretKeys top-level settings that hold a secret: no value below them is shown
 */
export function renderProblem(problem: Problem, secretKeys: ReadonlySet<string>): string {
  const path = formatPath(problem.path);
  if (problem.harmless === true || !secretKeys.has(String(problem.path[0]))) {
    return problemText(path, problem.found, problem);
  }
  // The rule itself holds no value, but its fix may repeat the one that was found.
  return problemText(path, "a value that is not shown, for this setting holds a secret", {
    allowed: problem.allowed,
    fix: "correct the value",
  });
}

/** All mistakes of the settings and of regions.yaml at once: `message` lists them, one line each. */
export class SettingsError extends Error {
  /** One line per mistake: `path: found … · allowed … · fix: …`. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `${problems.length === 1 ? "1 problem" : `${problems.length} problems`} in the settings:\n${problems.map((line) => `  ${line}`).join("\n")}`,
    );
    this.name = "SettingsError";
    this.problems = problems;
  }
}
