// Writes the releases of the catalogue into docs/platform.md.
import { readFileSync, writeFileSync } from "node:fs";
import { format, resolveConfig } from "prettier";
import { cataloguePage, withCatalogue } from "./catalogue/page.ts";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../docs/platform.md", import.meta.url));
const text = withCatalogue(readFileSync(file, "utf8"), cataloguePage());
writeFileSync(file, await format(text, { ...(await resolveConfig(file)), parser: "markdown" }));
console.log("docs/platform.md holds the catalogue");
