import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import type { K3sDigests } from "../components/k3s/node.ts";
import type { ChartPin } from "../components/platform/chart-pin.ts";

const sha256 = z.string().regex(/^([0-9a-f]{64})?$/, "a SHA-256 digest in hexadecimal, or nothing");
const chart = {
  version: z.string(),
  repository: z.string(),
  chart: z.string(),
  sha256: sha256.default(""),
  crds: z.array(z.strictObject({ url: z.string(), sha256 })).default([]),
};
const schema = z.strictObject({
  k3s: z.strictObject({
    digests: z.record(z.string(), z.strictObject({ amd64: sha256, arm64: sha256, installer: sha256 })),
  }),
  mesh: z.strictObject({ tailscale: z.string(), netbird: z.string() }),
  cilium: z.strictObject(chart),
  releases: z.record(z.string(), z.strictObject(chart)),
});

/** What versions.yaml pins. */
export interface Versions {
  /** Digests by k3s release. */
  readonly k3s: Readonly<Record<string, K3sDigests>>;
  /** Versions of the meshes' clients. */
  readonly mesh: Readonly<Record<"tailscale" | "netbird", string>>;
  /** Cilium's chart: a region may state another version. */
  readonly cilium: ChartPin;
  /** Charts by release name. */
  readonly releases: Readonly<Record<string, ChartPin>>;
}

/** Digests of a release that none are recorded for: hosts check against the release's own checksum file. */
export const UNPINNED: K3sDigests = { amd64: "", arm64: "", installer: "" };

/**
 * Reads versions.yaml.
 * @throws Error that names the entry, if it is not in the form above
 */
export function readVersions(file = new URL("../versions.yaml", import.meta.url)): Versions {
  const parsed = schema.safeParse(parse(readFileSync(file, "utf8")));
  if (!parsed.success) throw new Error(`versions.yaml:\n${z.prettifyError(parsed.error)}`);
  const { k3s, ...same } = parsed.data;
  return { k3s: k3s.digests, ...same };
}

/** A chart of an OCI registry has no digest that could be recorded: see tools/pin/chart.ts. */
const isUnpinned = (chart: ChartPin | undefined): boolean =>
  chart?.sha256 === "" && !chart.repository.startsWith("oci://");

/** A region may state a version of its own, which has no entry. */
function ciliumUnpinned(chart: ChartPin, version: string): string[] {
  if (version !== chart.version) return [`the chart of cilium ${version} (versions.yaml has ${chart.version})`];
  return isUnpinned(chart) ? ["the chart of cilium"] : [];
}

/** What a region installs that versions.yaml has digests of. */
export interface Installed {
  /** The k3s release. */
  readonly kubernetes: string;
  /** Cilium's version. @default another pod network */
  readonly cilium?: string;
  /** Names of releases. */
  readonly releases: readonly string[];
}

/** What of a region is not pinned by a digest, in words. */
export function unpinned(versions: Versions, { kubernetes, cilium, releases }: Installed): string[] {
  const digests = versions.k3s[kubernetes] ?? UNPINNED;
  const missing = Object.entries(digests).filter(([, value]) => value === "");
  return [
    ...(missing.length === 0 ? [] : [`k3s ${kubernetes} (${missing.map(([key]) => key).join(", ")})`]),
    ...releases
      .filter((name) => versions.releases[name]?.crds.some((file) => file.sha256 === "") === true)
      .map((name) => `the CRDs of ${name}`),
    ...(cilium === undefined ? [] : ciliumUnpinned(versions.cilium, cilium)),
    ...releases.filter((name) => isUnpinned(versions.releases[name])).map((name) => `the chart of ${name}`),
  ];
}

/** What a preview says of {@link unpinned}; undefined where there is nothing to say. It promises no check that there is not. */
export function unpinnedWarning(versions: Versions, installed: Installed): string | undefined {
  const missing = unpinned(versions, installed);
  if (missing.length === 0) return undefined;
  const checks = missing.some((one) => one.startsWith("the chart of "))
    ? " · an update checks k3s and CRDs against digests, no charts: npm run charts -- verify does that"
    : "";
  return `unpinned: no digest is recorded for ${missing.join("; ")}${checks} · fix: npm run pin, then commit versions.yaml`;
}
