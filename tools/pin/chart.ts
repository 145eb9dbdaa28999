import { createHash } from "node:crypto";
import { parse } from "yaml";
import { z } from "zod";
import type { Download } from "./pin.ts";

// https://helm.sh/docs/topics/chart_repository/#the-index-file
const index = z.object({
  entries: z.record(
    z.string(),
    z.array(z.object({ version: z.string(), urls: z.array(z.string()).min(1), digest: z.string().optional() })),
  ),
});

/** Which chart, of which repository. */
export interface ChartAddress {
  readonly repository: string;
  readonly chart: string;
  readonly version: string;
}

/**
 * Downloads a chart's archive and returns its SHA-256, compared with the one that the repository's index states.
 * @returns undefined for a chart of an OCI registry, whose digest is that of a manifest and not of an archive
 * @throws Error if the repository has no such version, or another archive than it states
 */
export async function chartDigest(
  { repository, chart, version }: ChartAddress,
  download: Download,
): Promise<string | undefined> {
  if (repository.startsWith("oci://")) return undefined;
  const base = repository.endsWith("/") ? repository : `${repository}/`;
  const read = index.safeParse(
    parse(new TextDecoder().decode(await download(`${base}index.yaml`)), { logLevel: "error" }),
  );
  const entry = read.data?.entries[chart]?.find((one) => one.version === version);
  const [address] = entry?.urls ?? [];
  if (entry === undefined || address === undefined) {
    throw new Error(
      `${base}index.yaml: found no ${chart} ${version} · allowed a version that is published · nothing was recorded`,
    );
  }
  const found = createHash("sha256")
    .update(await download(new URL(address, base).href))
    .digest("hex");
  const stated = entry.digest?.replace(/^sha256:/, "");
  if (stated !== undefined && stated !== "" && stated !== found) {
    throw new Error(`${chart} ${version}: found sha256:${found} · stated sha256:${stated} · nothing was recorded`);
  }
  return found;
}
