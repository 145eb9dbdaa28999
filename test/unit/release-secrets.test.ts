import { expect, test } from "vitest";
import { CATALOGUE } from "../../components/platform/catalogue.ts";
import type { ReleaseDefinition } from "../../components/platform/release.ts";
import { releaseFixture } from "../support/release-fixtures.ts";
import { TOPOLOGIES } from "../support/topologies.ts";

/** Whose pods see another content of a Secret by themselves, and how. */
const SEES_CHANGES: Readonly<Record<string, string>> = {
  "argo-cd": "watches Secrets with its label",
  "cert-manager": "reads the token whenever it proves a name",
  cassandra: "has no chart: its pods are the operator's",
  postgres: "has no chart: the operator's label makes it read again",
  velero: "reads the mounted file whenever it speaks with the bucket",
};

/** Secret texts of settings: whoever changes one wants it to be used. */
const secretsIn = (value: unknown): string[] =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) =>
        typeof inner === "string" && /secret|token|password/i.test(key) ? [inner] : secretsIn(inner),
      );

function readsSettings(definition: ReleaseDefinition): boolean {
  const fixture = releaseFixture(definition.name, "all");
  const stated = secretsIn(fixture);
  const made = definition.secrets?.(TOPOLOGIES["one-site"], definition.schema.parse(fixture) as never) ?? [];
  return made
    .flatMap(({ entries }) => Object.values(entries))
    .some((entry) => "text" in entry && stated.some((text) => entry.text.includes(text)));
}

test("a release whose Secret holds what settings say has pods that start anew with it, or see it by themselves", () => {
  const reading = CATALOGUE.filter(readsSettings);
  expect(reading.map(({ name }) => name)).toEqual(expect.arrayContaining(["loki", "keycloak", "nats", "velero"]));
  const silent = reading.filter(({ podAnnotations }) => podAnnotations === undefined).map(({ name }) => name);
  expect(silent.filter((name) => !(name in SEES_CHANGES))).toEqual([]);
});
