import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { CATALOGUE } from "../../components/platform/catalogue.ts";
import { SettingsError } from "../../stacks/settings.ts";

type Tree = Record<string, unknown>;

/** A settings fixture: settings, the address plan where it is not the usual one, and which settings are secret. */
export interface SettingsFixture {
  readonly name: string;
  readonly settings: Tree;
  /** The text or the content of regions.yaml. */
  readonly regions: unknown;
  readonly secret: ReadonlySet<string>;
}

const FOLDER = new URL("../fixtures/settings/", import.meta.url);
const USUAL_REGIONS = { regions: { tokyo: { id: 1 }, mn: { id: 2 } } };

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

/** Puts a patch over a tree: objects are merged, null removes, everything else replaces (RFC 7396). */
export function mergePatch(tree: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch;
  const result: Tree = isTree(tree) ? { ...tree } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

function read(kind: "good" | "bad", name: string): SettingsFixture {
  const file = parse(readFileSync(new URL(`${kind}/${name}.yaml`, FOLDER), "utf8")) as {
    settings?: Tree;
    regions?: unknown;
    secret?: string[];
  };
  const regions =
    file.regions === undefined || typeof file.regions === "string"
      ? (file.regions ?? USUAL_REGIONS)
      : { regions: file.regions };
  return { name, settings: file.settings ?? {}, regions, secret: new Set(file.secret) };
}

const namesIn = (kind: "good" | "bad"): string[] =>
  readdirSync(new URL(`${kind}/`, FOLDER))
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.replace(/\.yaml$/, ""));

/** A fixture that parses. */
export const goodFixture = (name: string): SettingsFixture => read("good", name);

/** All fixtures with a mistake, each a patch of good/minimal.yaml. */
export const badFixtures = (): readonly SettingsFixture[] =>
  namesIn("bad").map((name) => {
    const fixture = read("bad", name);
    return { ...fixture, settings: mergePatch(goodFixture("minimal").settings, fixture.settings) as Tree };
  });

/** The lines that a bad fixture must lead to. */
export const expectedLines = (name: string): readonly string[] =>
  readFileSync(new URL(`bad/${name}.txt`, FOLDER), "utf8")
    .trimEnd()
    .replaceAll(
      "<releases>",
      CATALOGUE.map(({ name }) => name)
        .sort()
        .join(", "),
    )
    .split("\n");

/** The lines that settings are refused with; none where they are read. */
export function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}
