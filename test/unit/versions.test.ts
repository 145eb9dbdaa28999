import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readVersions, unpinned, type Versions } from "../../stacks/versions.ts";

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
    expect(unpinned(versions, "v1", ["cert-manager", "other"])).toEqual([
      "k3s v1 (arm64)",
      "the CRDs of cert-manager",
      "the chart of cert-manager",
    ]);
    expect(unpinned(versions, "v2", ["other"])).toEqual([]);
    expect(unpinned(versions, "v3", [])).toEqual(["k3s v3 (amd64, arm64, installer)"]);
  });
});
