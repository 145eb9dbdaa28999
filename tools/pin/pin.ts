import { createHash } from "node:crypto";
import { parseDocument } from "yaml";
import { chartDigest, type ChartAddress } from "./chart.ts";

/** Fetches an address whole. */
export type Download = (address: string) => Promise<Uint8Array>;

/** What recording digests did: the new text of versions.yaml, and a line for each entry. */
export interface Pinned {
  readonly text: string;
  readonly lines: readonly string[];
}

const sha256 = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

/**
 * The digest that a release's checksum file states for a file.
 * @throws Error unless exactly one line names the file
 */
export function statedDigest(checksums: string, asset: string): string {
  const lines = checksums
    .split("\n")
    .map((line) => /^([0-9a-f]{64})\s+\*?(\S+)$/.exec(line.trim()))
    .filter((match) => match?.[2] === asset);
  const [only] = lines;
  if (lines.length !== 1 || only?.[1] === undefined) {
    throw new Error(
      `checksum file: found ${lines.length} lines for ${asset} · allowed exactly 1 · nothing was recorded`,
    );
  }
  return only[1];
}

/** Downloads one release of k3s and returns its digests, each compared with the release's own checksum file. */
export async function k3sDigests(
  version: string,
  download: Download,
): Promise<Record<"amd64" | "arm64" | "installer", string>> {
  const tag = encodeURIComponent(version);
  const release = `https://github.com/k3s-io/k3s/releases/download/${tag}`;
  const binary = async (architecture: string, asset: string): Promise<string> => {
    const stated = statedDigest(
      new TextDecoder().decode(await download(`${release}/sha256sum-${architecture}.txt`)),
      asset,
    );
    const found = sha256(await download(`${release}/${asset}`));
    if (found !== stated)
      throw new Error(`${asset} ${version}: found sha256:${found} · stated sha256:${stated} · nothing was recorded`);
    return found;
  };
  return {
    amd64: await binary("amd64", "k3s"),
    arm64: await binary("arm64", "k3s-arm64"),
    installer: sha256(await download(`https://raw.githubusercontent.com/k3s-io/k3s/${tag}/install.sh`)),
  };
}

type Chart = ChartAddress & { readonly crds?: readonly { readonly url: string }[] };

/** What versions.yaml says of charts. */
interface Charts {
  readonly cilium: Chart;
  readonly releases: Readonly<Record<string, Chart>>;
}

/**
 * Records the digests of k3s releases, of Cilium's chart and of every release's chart and CRDs in the text of versions.yaml; comments stay.
 * @param k3sVersions the k3s releases that stacks use
 * @throws Error if a download fails or a checksum does not match; the text is then not changed
 */
export async function pin(text: string, k3sVersions: readonly string[], download: Download): Promise<Pinned> {
  const document = parseDocument(text);
  const lines: string[] = [];
  for (const version of k3sVersions) {
    document.setIn(
      ["k3s", "digests", version],
      document.createNode(await k3sDigests(version, download), { flow: true }),
    );
    lines.push(`k3s ${version}: amd64, arm64 and installer recorded`);
  }
  const { cilium, releases } = document.toJS() as Charts;
  const charts = [
    { name: "cilium", at: ["cilium"], chart: cilium },
    ...Object.entries(releases).map(([name, chart]) => ({ name, at: ["releases", name], chart })),
  ];
  for (const { name, at, chart } of charts) {
    const { crds } = chart;
    const digest = await chartDigest(chart, download);
    if (digest !== undefined) document.setIn([...at, "sha256"], digest);
    lines.push(`${name}: ${digest === undefined ? "its chart is in an OCI registry: no digest" : "chart recorded"}`);
    for (const [index, { url }] of (crds ?? []).entries()) {
      document.setIn([...at, "crds", index, "sha256"], sha256(await download(url)));
    }
    if (crds !== undefined) lines.push(`${name}: CRDs recorded`);
  }
  return { text: document.toString({ lineWidth: 0 }), lines };
}
