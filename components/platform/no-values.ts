import type { ReleaseProblem } from "./release.ts";

/** A release without a chart has nothing that Helm values could be merged over; `instead` is where its fields can be stated. */
export const noValues = (values: Readonly<Record<string, unknown>>, instead: string): ReleaseProblem[] =>
  Object.keys(values).length === 0
    ? []
    : [
        {
          path: "values",
          found: "Helm values",
          allowed: "nothing, for this release has no chart",
          fix: `write what you mean into ${instead}`,
        },
      ];
