import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { serverTypeOf } from "../../components/hetzner/catalog.ts";

const page = readFileSync(new URL("../../docs/sites/hetzner.md", import.meta.url), "utf8");

test("docs/sites/hetzner.md has the sizes and the estimated prices of the catalogue", () => {
  const rows = [...page.matchAll(/^\| `(?<name>c[a-z]+\d+)`(?<rest>.*)\|$/gm)];
  expect(rows.length).toBeGreaterThan(5);
  for (const { groups } of rows) {
    const { name = "", rest = "" } = groups ?? {};
    const type = serverTypeOf(name);
    const cells = rest
      .split("|")
      .map((cell) => cell.trim())
      .slice(1, 5);
    expect(cells, name).toEqual([
      String(type?.cpus),
      `${type?.memoryGiB} GiB`,
      `${type?.diskGiB} GiB`,
      `about ${type?.monthlyEur.toFixed(2)}`,
    ]);
  }
});
