import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { recordServerTypes } from "../../tools/pin/server-types.ts";
import { k3sDigests, pin, statedDigest } from "../../tools/pin/pin.ts";

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const VERSIONS = `# kept comment
k3s:
  digests: {}
cilium:
  version: 1.0.0
  repository: https://charts.example.net
  chart: cilium
releases:
  cert-manager:
    version: v1
    repository: https://charts.example.net
    chart: cert-manager
    crds: [{ url: "https://example.net/crds.yaml", sha256: "" }]
`;

const release = (files: Record<string, string>) => (address: string) => {
  const file = Object.entries(files).find(([end]) => address.endsWith(end));
  return file === undefined
    ? Promise.reject(new Error(`${address} answered 404`))
    : Promise.resolve(new TextEncoder().encode(file[1]));
};
const good = {
  "sha256sum-amd64.txt": `${digestOf("binary")}  k3s\n${"0".repeat(64)}  k3s-airgap-images-amd64.tar\n`,
  "sha256sum-arm64.txt": `${digestOf("binary for arm")}  k3s-arm64\n`,
  "/k3s": "binary",
  "/k3s-arm64": "binary for arm",
  "install.sh": "installer",
  "crds.yaml": "crds",
  "index.yaml": `entries: { cert-manager: [{ version: v1, urls: [charts/cert-manager-v1.tgz], digest: ${digestOf("chart")} }], cilium: [{ version: 1.0.0, urls: [charts/cilium.tgz] }] }`,
  "charts/cilium.tgz": "cilium",
  "charts/cert-manager-v1.tgz": "chart",
};

describe("recording digests", () => {
  it("writes what was downloaded and matched, and keeps the comments", async () => {
    const { text, lines } = await pin(VERSIONS, ["v1.36.3+k3s1"], release(good));
    expect(text).toContain("# kept comment");
    expect(parse(text)).toMatchObject({
      k3s: {
        digests: {
          "v1.36.3+k3s1": {
            amd64: digestOf("binary"),
            arm64: digestOf("binary for arm"),
            installer: digestOf("installer"),
          },
        },
      },
      cilium: { sha256: digestOf("cilium") },
      releases: { "cert-manager": { sha256: digestOf("chart"), crds: [{ sha256: digestOf("crds") }] } },
    });
    expect(lines).toEqual([
      "k3s v1.36.3+k3s1: amd64, arm64 and installer recorded",
      "cilium: chart recorded",
      "cert-manager: chart recorded",
      "cert-manager: CRDs recorded",
    ]);
  });

  it("records nothing when a chart is not what its repository states, or is not there", async () => {
    await expect(pin(VERSIONS, [], release({ ...good, "charts/cert-manager-v1.tgz": "another" }))).rejects.toThrow(
      `cert-manager v1: found sha256:${digestOf("another")} · stated sha256:${digestOf("chart")} · nothing was recorded`,
    );
    await expect(
      pin(
        VERSIONS,
        [],
        release({ ...good, "index.yaml": "entries: { cilium: [{ version: 1.0.0, urls: [charts/cilium.tgz] }] }" }),
      ),
    ).rejects.toThrow("https://charts.example.net/index.yaml: found no cert-manager v1");
  });

  it("says of a chart in an OCI registry that it has no digest", async () => {
    const oci = VERSIONS.replaceAll("https://charts.example.net", "oci://registry.example.net/charts");
    expect((await pin(oci, [], release(good))).lines).toContain(
      "cert-manager: its chart is in an OCI registry: no digest",
    );
  });

  it("records nothing when a binary is not what the release states", async () => {
    await expect(k3sDigests("v1.36.3+k3s1", release({ ...good, "/k3s": "another binary" }))).rejects.toThrow(
      `k3s v1.36.3+k3s1: found sha256:${digestOf("another binary")} · stated sha256:${digestOf("binary")} · nothing was recorded`,
    );
  });

  it("refuses a checksum file with no line, or two, for the file", () => {
    const line = `${"a".repeat(64)}  k3s\n`;
    expect(() => statedDigest("", "k3s")).toThrow(
      "checksum file: found 0 lines for k3s · allowed exactly 1 · nothing was recorded",
    );
    expect(() => statedDigest(line + line, "k3s")).toThrow("found 2 lines for k3s");
    expect(statedDigest(line, "k3s")).toBe("a".repeat(64));
  });
});

describe("recording server types", () => {
  const file = JSON.stringify({
    source: "a page",
    date: "2026-01-01",
    prices: "estimates",
    types: { cx32: { cpus: 4 }, cx33: { cpus: 1 } },
  });
  const asked = {
    ...{ name: "cx33", cores: 4, memory: 8, disk: 80, architecture: "x86" },
    locations: [{ name: "fsn1" }, { name: "hel1" }],
    prices: [
      { location: "fsn1", price_monthly: { net: "7.9900000000" } },
      { location: "hel1", price_monthly: { net: "7.4900000000" } },
    ],
  };

  it("takes what the API says, and keeps types that are not offered any more", () => {
    expect(JSON.parse(recordServerTypes(file, [asked], "2026-12-01"))).toEqual({
      source: "https://api.hetzner.cloud/v1/server_types",
      date: "2026-12-01",
      prices: "what the API said on 2026-12-01, without VAT",
      types: {
        cx32: { cpus: 4 },
        cx33: {
          ...{ cpus: 4, memoryGiB: 8, diskGiB: 80, architecture: "x86" },
          locations: ["fsn1", "hel1"],
          monthlyEur: 7.49,
        },
      },
    });
  });
});
