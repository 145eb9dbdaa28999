import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { CATALOGUE } from "../../components/platform/catalogue.ts";
import { secretsIn } from "../../components/secret-schema.ts";

const FOLDER = new URL("../fixtures/platform/", import.meta.url);

/** How much of a release's settings a fixture states: none, or every one of them. */
export const KINDS = ["minimal", "all"] as const;

/** A release's settings as a user writes them; undefined where there is no such file. */
export function releaseFixture(release: string, kind: (typeof KINDS)[number]): unknown {
  const file = new URL(`${release}.${kind}.yaml`, FOLDER);
  return existsSync(file) ? parse(readFileSync(file, "utf8")) : undefined;
}

/** The same as a stack's file has them: with its secrets encrypted. */
export function encryptedFixture(release: string, kind: (typeof KINDS)[number]): unknown {
  const settings = releaseFixture(release, kind);
  const schema = CATALOGUE.find(({ name }) => name === release)?.schema;
  for (const { path } of schema === undefined ? [] : secretsIn(schema, settings)) {
    const holder = path.slice(0, -1).reduce<unknown>((tree, step) => Reflect.get(tree as object, step), settings);
    Reflect.set(holder as object, path.at(-1) ?? "", { secure: "v1:example" });
  }
  return settings;
}
