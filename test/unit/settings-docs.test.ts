import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { regionsSchema, settingsSchema } from "../../stacks/settings/schema.ts";

const page = readFileSync(new URL("../../docs/settings.md", import.meta.url), "utf8");
const project = parse(readFileSync(new URL("../../Pulumi.yaml", import.meta.url), "utf8")) as {
  name: string;
  config: Record<string, { type?: string; description?: string; default?: unknown }>;
};

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly default?: unknown;
  readonly const?: string;
}

interface Setting {
  readonly name: string;
  readonly parent: string;
  readonly schema: JsonSchema;
}

/** Every key that the schema knows, with the key above it. */
function settingsOf(schema: JsonSchema, parent = ""): Setting[] {
  const named = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => [
    { name, parent, schema: inner },
    // Releases have a page of their own, made of their schemas: docs/platform.md.
    ...(name === "platform" ? [] : settingsOf(inner, name)),
  ]);
  const free = typeof schema.additionalProperties === "object" ? settingsOf(schema.additionalProperties, parent) : [];
  return [
    ...named,
    ...free,
    // A kind of site or of mesh is told of under its own name, where it differs from the others.
    ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((one) =>
      settingsOf(
        one,
        parent === "sites" || parent === "mesh" ? (one.properties?.["provider"]?.const ?? parent) : parent,
      ),
    ),
  ];
}

const schemaOf = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;

/** The rows of the page's tables: setting and default. */
const rows = new Map(
  page
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("`", "")))
    .map((cells) => [cells[1]!, cells] as const),
);

describe("docs/settings.md", () => {
  const all = [...settingsOf(schemaOf(settingsSchema)), ...settingsOf(schemaOf(regionsSchema))];

  test.each([...new Set(all.map(({ name, parent }) => `${parent}.${name}`))])("tells of %s", (path) => {
    const [parent = "", name = ""] = path.split(".");
    const told = [...rows.keys()].some(
      (row) => row === name || row === `${parent}.${name}` || row.startsWith(`${name}.`),
    );
    expect(told || page.includes(`\`${parent}.${name}\``)).toBe(true);
  });

  test("gives the defaults that the schema has", () => {
    const shown = { drainTimeout: "5m", connectTimeout: "5m", keyLifetime: "1h" } as Record<string, string>;
    const wrong = all.flatMap(({ name, parent, schema }) => {
      const row = rows.get(`${parent}.${name}`) ?? rows.get(name);
      if (schema.default === undefined || row === undefined) return [];
      const cells = row.join(" | ");
      const value = schema.default;
      const text =
        shown[name] ??
        (typeof value === "string"
          ? value
          : JSON.stringify(value).replace('{"provider":"none"}', "{ provider: none }"));
      return cells.includes(`| ${text} |`) ? [] : [`${parent}.${name}: ${text}`];
    });
    expect(wrong).toEqual([]);
  });

  test("tells of nothing that does not exist", () => {
    const known = new Set([...all.flatMap(({ name, parent }) => [name, `${parent}.${name}`]), "place"]);
    expect([...rows.keys()].filter((name) => !known.has(name))).toEqual([]);
  });
});

describe("Pulumi.yaml", () => {
  const own = Object.entries(project.config).filter(([key]) => !key.includes(":"));

  test("declares exactly the settings that there are, each with a type and a description", () => {
    expect(own.map(([key]) => key).sort()).toEqual(Object.keys(settingsSchema.shape).sort());
    expect(own.filter(([, { type, description }]) => type === undefined || description === undefined)).toEqual([]);
  });

  test("has a default for every setting that may be left out, since Pulumi demands the others", () => {
    const required = ["region", "kubernetes", "sites"];
    expect(own.filter(([, entry]) => entry.default === undefined).map(([key]) => key)).toEqual(required);
    for (const key of required) expect(settingsSchema.shape[key as "region"].safeParse(undefined).success).toBe(false);
  });
});
