import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";

const FOLDER = new URL("../fixtures/platform/", import.meta.url);

/** How much of a release's settings a fixture states: none, or every one of them. */
export const KINDS = ["minimal", "all"] as const;

/** A release's settings as a user writes them; undefined where there is no such file. */
export function releaseFixture(release: string, kind: (typeof KINDS)[number]): unknown {
  const file = new URL(`${release}.${kind}.yaml`, FOLDER);
  return existsSync(file) ? parse(readFileSync(file, "utf8")) : undefined;
}
