import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readVersions, unpinned, unpinnedWarning, type Versions } from "../../stacks/versions.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hybrid-k3s-versions-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What every such file has, whatever else is in it. */
const REST = "\nmesh: { tailscale: 1.0.0, netbird: 1.0.0 }\ncilium: { version: 1.0.0, repository: r, chart: c }\n";

const read = (text: string): Versions => {
  const file = join(folder, "versions.yaml");
  writeFileSync(file, text + REST);
  return readVersions(pathToFileURL(file));
};
const digest = "a".repeat(64);

describe("versions.yaml", () => {
  it("that the project ships is in the right form and pins a chart for every release", () => {
    expect(Object.keys(readVersions().releases)).toContain("cert-manager");
  });

  it.each([
    [
      "a digest of the wrong length",
      "k3s: { digests: { v1: { amd64: abc, arm64: '', installer: '' } } }\nreleases: {}",
      "k3s.digests.v1.amd64",
    ],
    ["an unknown key", `k3s: { digests: {} }\nreleases: {}\nchart: x`, "chart"],
    [
      "a release without a version",
      "k3s: { digests: {} }\nreleases: { cert-manager: { repository: r, chart: c } }",
      'releases["cert-manager"].version',
    ],
  ])("with %s is refused, and the entry named", (_, text, path) => {
    expect(() => read(text)).toThrow(/^versions\.yaml:/);
    expect(() => read(text)).toThrow(path);
  });

  it("says what has no digest, and nothing of what has", () => {
    const versions = read(
      `k3s: { digests: { v1: { amd64: "${digest}", arm64: "", installer: "${digest}" }, v2: { amd64: "${digest}", arm64: "${digest}", installer: "${digest}" } } }
releases:
  cert-manager: { version: v1, repository: r, chart: c, sha256: "", crds: [{ url: u, sha256: "" }] }
  other: { version: v1, repository: r, chart: c, sha256: "${digest}" }`,
    );
    expect(unpinned(versions, { kubernetes: "v1", releases: ["cert-manager", "other"] })).toEqual([
      "k3s v1 (arm64)",
      "the CRDs of cert-manager",
      "the chart of cert-manager",
    ]);
    expect(unpinned(versions, { kubernetes: "v2", releases: ["other"] })).toEqual([]);
    expect(unpinned(versions, { kubernetes: "v3", releases: [] })).toEqual(["k3s v3 (amd64, arm64, installer)"]);
  });

  it("names Cilium's chart where it is the pod network and has no digest of its own version", () => {
    const all = `{ amd64: "${digest}", arm64: "${digest}", installer: "${digest}" }`;
    const versions = read(`k3s: { digests: { v1: ${all} } }\nreleases: {}`);
    const pinned = { ...versions, cilium: { ...versions.cilium, sha256: digest } };
    const of = (given: Versions, cilium?: string) =>
      unpinned(given, { kubernetes: "v1", releases: [], ...(cilium === undefined ? {} : { cilium }) });
    expect(of(versions)).toEqual([]);
    expect(of(versions, "1.0.0")).toEqual(["the chart of cilium"]);
    expect(of(pinned, "1.0.0")).toEqual([]);
    expect(of(pinned, "1.1.0")).toEqual(["the chart of cilium 1.1.0 (versions.yaml has 1.0.0)"]);
  });

  it("leads to a warning that promises no check of a chart", () => {
    const versions = read(
      'k3s: { digests: {} }\nreleases: { one: { version: v1, repository: r, chart: c, sha256: "" } }',
    );
    expect(unpinnedWarning(versions, { kubernetes: "v1", releases: [] })).toBe(
      "unpinned: no digest is recorded for k3s v1 (amd64, arm64, installer) · fix: npm run pin, then commit versions.yaml",
    );
    expect(unpinnedWarning(versions, { kubernetes: "v1", releases: ["one"] })).toBe(
      "unpinned: no digest is recorded for k3s v1 (amd64, arm64, installer); the chart of one · an update checks k3s and CRDs against digests, no charts: npm run charts -- verify does that · fix: npm run pin, then commit versions.yaml",
    );
    const all = { amd64: digest, arm64: digest, installer: digest };
    expect(unpinnedWarning({ ...versions, k3s: { v1: all } }, { kubernetes: "v1", releases: [] })).toBeUndefined();
  });
});
