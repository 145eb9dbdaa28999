import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { describe, expect, test } from "vitest";
import { CATALOGUE } from "../../components/platform/catalogue.ts";
import { readVersions } from "../../stacks/versions.ts";
import { cataloguePage, MARKS, withCatalogue } from "../../tools/catalogue/page.ts";

const file = fileURLToPath(new URL("../../docs/platform.md", import.meta.url));

describe("docs/platform.md", () => {
  test("is what `npm run catalogue` writes", async () => {
    const page = readFileSync(file, "utf8");
    const made = withCatalogue(page, cataloguePage());
    expect(page).toBe(await format(made, { ...(await resolveConfig(file)), parser: "markdown" }));
  });

  test("tells of every release once", () => {
    const page = cataloguePage();
    for (const { name } of CATALOGUE) expect(page.split(`### \`${name}\`\n`)).toHaveLength(2);
  });

  test("says of no release that its values were rendered where that is not known, and names another version", () => {
    const known = { "cert-manager": readVersions().releases["cert-manager"]?.version ?? "", loki: "0.0.1" };
    const lines = cataloguePage({ rendered: known }).split("\n");
    const said = Object.fromEntries(
      CATALOGUE.map(({ name }) => {
        const own = lines.slice(lines.indexOf(`### \`${name}\``));
        return [name, own.find((line) => line.startsWith("- Values: "))?.slice("- Values: ".length)];
      }),
    );
    const never = "**not rendered yet**: its values were checked against the chart's source or documentation alone";
    const expected = CATALOGUE.map(({ name, kind }) => [name, kind === "objects" ? "no chart" : never]);
    expect(said).toEqual({
      ...(Object.fromEntries(expected) as Record<string, string>),
      "cert-manager": "rendered with helm",
      loki: "rendered with helm, chart 0.0.1",
    });
  });

  test("is refused without its marks, and left as it was", () => {
    expect(() => withCatalogue("# The platform\n", "x")).toThrow(MARKS.start);
  });
});
