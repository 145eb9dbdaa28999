import { plannedReleases, releasePath } from "../planned-releases.ts";
import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** What a release itself knows to be wrong about its settings in this region. */
export const releaseProblem: Guardrail = {
  id: "release-problem",
  reason: "a chart takes settings that it cannot work with in this region, and its pods then fail one by one",
  severity: "refuse",
  check: (settings) =>
    plannedReleases(settings).releases.flatMap(({ name, problems }) =>
      problems.map(({ path, found, ...rule }) =>
        problemText(path === "" ? releasePath(name) : `${releasePath(name)}.${path}`, found, rule),
      ),
    ),
};
