import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { refreshBundles, whyNoAnswer } from "../../tools/pin/bundles.ts";

const TEXT = readFileSync(new URL("../../components/lightsail/bundles.json", import.meta.url), "utf8");
interface File {
  readonly source: string;
  readonly date: string;
  readonly bundles: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
const FILE = JSON.parse(TEXT) as File;

/** One bundle as the API describes it. https://docs.aws.amazon.com/lightsail/2016-11-28/api-reference/API_Bundle.html */
const offered = (bundleId: string, more: object = {}): Record<string, unknown> => {
  const { cpus, memoryGiB, diskGiB, monthlyUsd } = FILE.bundles[bundleId] ?? {};
  return {
    bundleId,
    price: monthlyUsd ?? 10,
    cpuCount: cpus ?? 2,
    ramSizeInGb: memoryGiB ?? 2,
    diskSizeInGb: diskGiB ?? 60,
    isActive: true,
    name: "Some name",
    power: 1000,
    transferPerMonthInGb: 3072,
    supportedPlatforms: ["LINUX_UNIX"],
    publicIpv4AddressCount: 1,
    ...more,
  };
};
const all = Object.keys(FILE.bundles);
const answer = (bundles: readonly object[]): string => JSON.stringify({ bundles });
const refreshed = (bundles: readonly object[]) => refreshBundles(TEXT, answer(bundles), "2027-01-31");

describe("refreshing Lightsail's bundles", () => {
  it("changes the source and the date alone where the cloud offers what is recorded", () => {
    const { text, lines } = refreshed(all.map((id) => offered(id)));
    const after = JSON.parse(text) as File;
    expect(after.bundles).toEqual(FILE.bundles);
    expect(Object.keys(after.bundles)).toEqual(all);
    expect(after.date).toBe("2027-01-31");
    expect(lines).toEqual([`Lightsail: ${all.length} bundles recorded`]);
    // The form of the file stays, so that only what changed is a change.
    const rest = (whole: string): string[] => whole.split("\n").filter((line) => !/"(source|date)":/.test(line));
    expect(rest(text)).toEqual(rest(TEXT));
  });

  it("records another price, memory and disk, and keeps the baseline, which no answer has", () => {
    const larger = { price: 48.5, ramSizeInGb: 8.5, diskSizeInGb: 200 };
    const { text, lines } = refreshed(all.map((id) => offered(id, id === "large_3_0" ? larger : {})));
    const { large_3_0: large } = (JSON.parse(text) as File).bundles;
    expect(large).toEqual({ cpus: 2, memoryGiB: 8.5, diskGiB: 200, baselinePercent: 30, monthlyUsd: 48.5 });
    expect(lines[0]).toBe("large_3_0: $44 became $48.5 a month");
  });

  it("keeps a bundle that is not offered any more: machines may stand on it", () => {
    const { text, lines } = refreshed(
      all.map((id) => offered(id, id === "nano_3_0" ? { isActive: false } : {})).filter((_, index) => index !== 1),
    );
    expect((JSON.parse(text) as File).bundles).toEqual(FILE.bundles);
    expect(lines.slice(0, 2)).toEqual([
      "nano_3_0: not offered any more; it stays as it was recorded",
      "micro_3_0: not offered any more; it stays as it was recorded",
    ]);
  });

  it("names a bundle that it has no baseline of, and passes over what is not for us", () => {
    const { text, lines } = refreshed([
      ...all.map((id) => offered(id)),
      offered("m_large_1_0"),
      offered("nano_win_3_0", { supportedPlatforms: ["WINDOWS"] }),
      offered("nano_ipv6_3_0", { publicIpv4AddressCount: 0 }),
    ]);
    expect(Object.keys((JSON.parse(text) as File).bundles)).toEqual(all);
    expect(lines.slice(0, -1)).toEqual([
      "m_large_1_0: is offered and not recorded · fix: add it by hand, with its CPU baseline",
    ]);
  });

  it.each([
    ["no JSON", "An error occurred", "the answer of aws lightsail get-bundles is not JSON · nothing was recorded"],
    ["an empty list", answer([]), "the answer of aws lightsail get-bundles: bundles: "],
    ["another shape", '{"Bundles":[]}', "the answer of aws lightsail get-bundles: bundles: "],
    ["a price that is a text", answer([offered("nano_3_0", { price: "5" })]), "bundles.0.price: "],
    ["an id of another form", answer([offered("nano_3_0", { bundleId: "nano 3" })]), "bundles.0.bundleId: "],
    ["Windows alone", answer([offered("x", { supportedPlatforms: ["WINDOWS"] })]), "offers no Linux bundle"],
    ["other CPUs", answer([offered("nano_3_0", { cpuCount: 4 })]), "nano_3_0: found 4 CPUs · recorded 2, with their"],
  ])("records nothing from %s", (_, text, message) => {
    expect(() => refreshBundles(TEXT, text, "2027-01-31")).toThrow(message);
    expect(() => refreshBundles(TEXT, text, "2027-01-31")).toThrow("nothing was recorded");
  });

  it("records nothing into a file that is not the one it knows", () => {
    const other = TEXT.replace('"baselinePercent": 30, ', "");
    expect(() => refreshBundles(other, answer([offered("nano_3_0")]), "2027-01-31")).toThrow(
      "components/lightsail/bundles.json: bundles.large_3_0.baselinePercent: ",
    );
  });
});

describe("an AWS CLI that does not answer", () => {
  const call = (more: object) => whyNoAnswer({ found: true, code: 255, stdout: "", stderr: "", ...more });

  it("is not there, is not logged in, or says why itself", () => {
    expect(call({ found: false, code: undefined })).toMatch(/^the AWS CLI is not on this computer · fix: install it/);
    expect(call({ code: 127, stderr: "aws: command not found" })).toMatch(/^the AWS CLI is not on this computer/);
    expect(call({ code: 253, stderr: "\nUnable to locate credentials. You can configure them\n" })).toMatch(
      /^the AWS CLI is not logged in · fix: /,
    );
    expect(call({ stderr: "An error occurred (ExpiredTokenException) when calling" })).toMatch(/is not logged in/);
    expect(call({ stderr: "\nAn error occurred (AccessDeniedException): not authorized\n" })).toBe(
      "the AWS CLI failed: An error occurred (AccessDeniedException): not authorized · fix: may this login read Lightsail?",
    );
    expect(call({ code: undefined })).toContain("exit code none");
    expect(call({ code: 0 })).toBeUndefined();
  });
});
