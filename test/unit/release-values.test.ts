import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { z } from "zod";
import { CATALOGUE } from "../../components/platform/catalogue.ts";
import type { ReleaseDefinition } from "../../components/platform/release.ts";
import { readVersions } from "../../stacks/versions.ts";
import { KINDS, releaseFixture } from "../support/release-fixtures.ts";
import { TOPOLOGIES } from "../support/topologies.ts";

/** Keys of a schema, those of objects inside included. */
function keysOf(schema: z.core.JSONSchema.JSONSchema, path = ""): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    const here = path === "" ? key : `${path}.${key}`;
    return typeof inner === "object" ? [here, ...keysOf(inner, here)] : [here];
  });
}

const statedKeys = (value: unknown, path = ""): string[] =>
  typeof value !== "object" || value === null || Array.isArray(value)
    ? []
    : Object.entries(value).flatMap(([key, inner]) => {
        const here = path === "" ? key : `${path}.${key}`;
        return [here, ...statedKeys(inner, here)];
      });

/** Everything that follows from a release's settings in a region, as text to be read in review. */
function rendered(definition: ReleaseDefinition, settings: unknown): string {
  const documents = Object.entries(TOPOLOGIES).map(([name, topology]) => {
    const given = [topology, settings as never] as const;
    const workloads = definition.workloads(...given).map(({ spot, ...workload }) => ({
      ...workload,
      pools: spot.pools.map((pool) => `${pool.site}/${pool.name}`),
    }));
    const all = {
      workloads,
      claims: definition.claims?.(...given) ?? {},
      secrets: definition.secrets?.(...given) ?? [],
      values: definition.values(...given),
      podAnnotations: definition.podAnnotations?.({ "example.com/annotation": "1" }) ?? {},
      objects: definition.objects?.(...given) ?? [],
    };
    const said = Object.entries(all).filter(([, part]) => Object.keys(part).length > 0);
    return `# ${name}\n${stringify(Object.fromEntries(said), { lineWidth: 0, aliasDuplicateObjects: false })}`;
  });
  return documents.join("---\n");
}

describe.each(CATALOGUE.map((definition) => [definition.name, definition] as const))("%s", (name, definition) => {
  test.each(KINDS)("with %s settings is what was reviewed, in three topologies", async (kind) => {
    const settings = definition.schema.parse(releaseFixture(name, kind));
    await expect(rendered(definition, settings)).toMatchFileSnapshot(`__values__/${name}.${kind}.yaml`);
  });

  test("has a fixture that states every setting", () => {
    const schema = z.toJSONSchema(definition.schema, { io: "input", unrepresentable: "any" });
    const stated = new Set(statedKeys(releaseFixture(name, "all")));
    expect(keysOf(schema).filter((key) => !stated.has(key))).toEqual([]);
  });

  test("says of each setting what it is", () => {
    const silent = (schema: z.core.JSONSchema.JSONSchema, path: string): string[] =>
      Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
        if (typeof inner !== "object") return [];
        const here = `${path}.${key}`;
        return [...(inner.description === undefined ? [here] : []), ...silent(inner, here)];
      });
    expect(silent(z.toJSONSchema(definition.schema, { io: "input", unrepresentable: "any" }), name)).toEqual([]);
  });

  test("needs only what stands before it in the catalogue, and versions.yaml has its chart", () => {
    const names = CATALOGUE.map((one) => one.name);
    const earlier = new Set(names.slice(0, names.indexOf(name)));
    for (const kind of KINDS) {
      const settings = definition.schema.parse(releaseFixture(name, kind)) as never;
      const needs = [...(definition.needs?.(settings) ?? []), ...(definition.after ?? [])];
      expect(needs.filter((need) => !earlier.has(need))).toEqual([]);
    }
    expect(Object.hasOwn(readVersions().releases, name)).toBe(definition.kind === "chart");
  });

  test("keeps every selector of its pods to labels that nodes have", () => {
    for (const topology of Object.values(TOPOLOGIES)) {
      const settings = definition.schema.parse(releaseFixture(name, "minimal")) as never;
      // It has no place in this region, and says so.
      if ((definition.problems?.(topology, settings) ?? []).length > 0) continue;
      for (const { spot, name: workload } of definition.workloads(topology, settings)) {
        expect([workload, spot.pools.length]).not.toEqual([workload, 0]);
      }
    }
  });
});

test("every fixture is of a release of the catalogue", async () => {
  const { readdirSync } = await import("node:fs");
  const names = readdirSync(new URL("../fixtures/platform/", import.meta.url)).map((file) => file.split(".")[0]);
  const known = new Set(CATALOGUE.map(({ name }) => name));
  expect([...new Set(names)].filter((name) => !known.has(name!))).toEqual([]);
});
