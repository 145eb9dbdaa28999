import { plannedReleases, releasePath } from "../planned-releases.ts";
import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** A release needs another one, which the settings do not have. */
export const missingDependency: Guardrail = {
  id: "missing-dependency",
  reason: "a release whose dependency is not there waits for it until its time is up, and fails with another error",
  severity: "refuse",
  check: (settings) => {
    const { releases } = plannedReleases(settings);
    const names = new Set(releases.map(({ name }) => name));
    return releases.flatMap(({ name, needs }) =>
      needs
        .filter((need) => !names.has(need))
        .map((need) =>
          problemText(releasePath(name), `no ${releasePath(need)} beside it`, {
            allowed: `${name} together with ${need}, which it needs`,
            fix: `add ${releasePath(need)}: {}, or remove what needs it`,
          }),
        ),
    );
  },
};
