import type { ReleaseProblem } from "./release.ts";

/** What of a bucket's settings cannot work together; `path` is where the bucket stands in the release's settings. */
export const bucketProblems = (
  path: string,
  bucket: { readonly endpoint?: string | undefined; readonly region: string } | undefined,
): ReleaseProblem[] =>
  bucket === undefined || bucket.endpoint !== undefined || bucket.region !== "auto"
    ? []
    : [
        {
          path,
          found: "region auto without an endpoint",
          allowed: "an endpoint, or a region of AWS such as ap-northeast-1",
          fix: `write ${path}.endpoint, or ${path}.region for a bucket at AWS`,
        },
      ];
