import { parse } from "yaml";
import { byName } from "../components/network/names.ts";
import { derivedRanges } from "../components/network/cidr.ts";
import { type Problem, renderProblem, SettingsError } from "./settings/problem.ts";
import { regionsSchema } from "./settings/schema.ts";
import { zodProblems } from "./settings/zod-problems.ts";
import type { RegionPlan } from "./region-settings.ts";

/** Where problems of the address plan are said to be. */
const FILE = "regions.yaml";

/** The address plan as far as it can be read, and what is wrong with it. */
export interface RegionPlanReading {
  readonly plans: readonly RegionPlan[];
  readonly problems: readonly Problem[];
}

function sharedIds(plans: readonly RegionPlan[]): Problem[] {
  return plans.flatMap(({ name, id }, index) => {
    const first = plans.slice(0, index).find((plan) => plan.id === id);
    if (first === undefined) return [];
    return [
      {
        path: [FILE, "regions", name, "id"],
        found: `${id}, which is the id of ${first.name}`,
        allowed: "an id that no other region has",
        fix: "give the newer of the two the next free id; ranges of a live cluster cannot change",
      },
    ];
  });
}

function parseYaml(content: string): { value: unknown } | { problem: Problem } {
  try {
    return { value: parse(content, { logLevel: "error" }) };
  } catch (error) {
    const [line = "no YAML"] = (error instanceof Error ? error.message : String(error)).split("\n");
    const fix = "correct that line";
    return { problem: { path: [FILE], found: line.replace(/:$/, ""), allowed: "a YAML file", fix } };
  }
}

/**
 * Reads the address plan without throwing, so that its problems can be listed beside those of the settings.
 * @param content the text of regions.yaml, or what it parses to
 */
export function readRegionPlans(content: unknown): RegionPlanReading {
  const source = typeof content === "string" ? parseYaml(content) : { value: content };
  if ("problem" in source) return { plans: [], problems: [source.problem] };
  const parsed = regionsSchema.safeParse(source.value);
  if (!parsed.success) {
    const problems = zodProblems(regionsSchema, source.value, parsed.error);
    return { plans: [], problems: problems.map((problem) => ({ ...problem, path: [FILE, ...problem.path] })) };
  }
  const plans = Object.entries(parsed.data.regions)
    .map(([name, { id, pods, services }]) => {
      const derived = derivedRanges(id);
      return { name, id, pods: pods ?? derived.pods, services: services ?? derived.services };
    })
    .sort((one, other) => byName(one.name, other.name));
  return { plans, problems: sharedIds(plans) };
}

/**
 * Reads the address plan: every region with its ranges, sorted by name.
 * @param content the text of regions.yaml, or what it parses to
 * @throws SettingsError with all problems of the file
 */
export function parseRegionPlans(content: unknown): readonly RegionPlan[] {
  const { plans, problems } = readRegionPlans(content);
  if (problems.length > 0) throw new SettingsError(problems.map((problem) => renderProblem(problem, new Set())));
  return plans;
}
