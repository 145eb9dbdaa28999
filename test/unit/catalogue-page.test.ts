import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { describe, expect, test } from "vitest";
import { CATALOGUE } from "../../components/platform/catalogue.ts";
import { cataloguePage, MARKS, withCatalogue } from "../../tools/catalogue/page.ts";

const file = fileURLToPath(new URL("../../docs/platform.md", import.meta.url));

describe("docs/platform.md", () => {
  test("is what `npm run catalogue` writes", async () => {
    const page = readFileSync(file, "utf8");
    const made = withCatalogue(page, cataloguePage());
    expect(page).toBe(await format(made, { ...(await resolveConfig(file)), parser: "markdown" }));
  });

  test("tells of every release once, and of no release's values that it does not know to be rendered", () => {
    const page = cataloguePage();
    for (const { name } of CATALOGUE) expect(page.split(`### \`${name}\`\n`)).toHaveLength(2);
  });

  test("is refused without its marks, and left as it was", () => {
    expect(() => withCatalogue("# The platform\n", "x")).toThrow(MARKS.start);
  });
});
