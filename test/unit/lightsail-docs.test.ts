import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import recorded from "../../components/lightsail/bundles.json" with { type: "json" };
import { BLUEPRINTS, ZONES } from "../../components/lightsail/catalog.ts";
import { publicPorts } from "../../components/lightsail/public-ports.ts";

const page = readFileSync(new URL("../../docs/sites/lightsail.md", import.meta.url), "utf8");

/** The rows of the table with this heading in its first column, as cells without their marks. */
function tableOf(heading: string): string[][] {
  const lines = page.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} `));
  const rest = lines.slice(start + 2);
  return rest.slice(0, rest.indexOf("")).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}

describe("the page of Lightsail", () => {
  it("has the prices that are recorded, with their date and source", () => {
    expect(tableOf("bundle")).toEqual(
      Object.entries(recorded.bundles).map(([id, bundle]) => [
        id,
        String(bundle.cpus),
        `${bundle.memoryGiB} GiB`,
        `${bundle.diskGiB} GiB`,
        `${bundle.baselinePercent} %`,
        String(bundle.monthlyUsd),
      ]),
    );
    expect(page).toContain(`of ${recorded.date}, after`);
    // Whatever the prices come from, the baseline comes from this page.
    expect(page).toContain("https://docs.aws.amazon.com/lightsail/latest/userguide/baseline-cpu-performance.html");
    expect(recorded.source).toContain("baseline-cpu-performance.html");
  });

  it("has the login user of every image", () => {
    expect(tableOf("blueprint")).toEqual(Object.entries(BLUEPRINTS).map(([id, { user }]) => [id, user]));
  });

  it("has every port that can be open", () => {
    const ports = publicPorts({ role: "server", ingress: true, accessFrom: ["198.51.100.7/32"] }).map(({ fromPort }) =>
      String(fromPort),
    );
    expect(tableOf("port").flatMap(([cell]) => cell?.match(/\d+/g) ?? [])).toEqual(ports);
  });

  it("shows settings that hold", () => {
    const [, region = "", letters = ""] = /awsRegion: (\S+)[^]*?((?: +tokyo-. *: \{ zone: . \}\n)+)/.exec(page) ?? [];
    const zones = [...letters.matchAll(/zone: (.)/g)].map(([, zone]) => zone);
    expect(ZONES[region]).toEqual(zones);
  });
});
