import { describe, expect, test } from "vitest";
import { z } from "zod";
import { CATALOGUE } from "../../components/platform/catalogue.ts";
import { hidden, secret, secretsIn } from "../../components/secret-schema.ts";
import { strict } from "../../components/strict-schema.ts";
import { releaseFixture } from "../support/release-fixtures.ts";

const RULE = { allowed: "a secret", fix: "write <path>" };
const word = () => secret(RULE, (value) => value !== "");
const pathsIn = (schema: z.ZodType, value: unknown): string[] =>
  secretsIn(schema, value).map(({ path }) => path.join("."));

describe("secrets of settings", () => {
  test("are found by their schema, however it is wrapped and wherever it stands", () => {
    const schema = strict({
      plain: z.string(),
      described: word().describe("a word").optional(),
      nullable: word().nullable(),
      inner: strict({ deep: word() })
        .superRefine(() => undefined)
        .prefault({ deep: "x" }),
      list: z.array(word()).default([]),
      named: z.record(z.string(), strict({ word: word() })),
      changed: word().transform((value) => value.length),
      either: z.discriminatedUnion("kind", [
        strict({ kind: z.literal("a"), token: word() }),
        strict({ kind: z.literal("b") }),
      ]),
    });
    const value = {
      plain: "no",
      described: "1",
      nullable: "2",
      inner: { deep: "3" },
      list: ["4", "5"],
      named: { one: { word: "6" } },
      changed: "7",
      either: { kind: "a", token: "8" },
    };
    expect(pathsIn(schema, value)).toEqual([
      ...["described", "nullable", "inner.deep", "list.0", "list.1", "named.one.word", "changed", "either.token"],
    ]);
    expect(pathsIn(schema, { inner: "text", list: {}, named: [1], described: null, either: 5 })).toEqual([]);
    expect(pathsIn(schema, { described: 12 })).toEqual(["described"]);
  });

  test("have to be encrypted, unless they are only not shown", () => {
    expect(secretsIn(strict({ a: word(), b: hidden(RULE, () => true) }), { a: "1", b: "2" })).toEqual([
      { path: ["a"], rule: RULE, encrypted: true },
      { path: ["b"], rule: RULE, encrypted: false },
    ]);
  });

  test("of the whole catalogue are these", () => {
    const found = CATALOGUE.flatMap(({ name, schema }) =>
      pathsIn(schema, releaseFixture(name, "all")).map((path) => `${name}.${path.replaceAll(/\.\d+/g, "")}`),
    );
    expect(found).toMatchInlineSnapshot(`
      [
        "cert-manager.issuer.cloudflareToken",
        "hcloud-csi.token",
        "postgres.clusters.main.backups.accessKeyId",
        "postgres.clusters.main.backups.secretAccessKey",
        "nats.gateway.password",
        "cassandra.backups.accessKeyId",
        "cassandra.backups.secretAccessKey",
        "kube-prometheus-stack.grafana.singleSignOn.clientSecret",
        "loki.bucket.accessKeyId",
        "loki.bucket.secretAccessKey",
        "keycloak.database.password",
        "openbao.transit.token",
        "argo-cd.singleSignOn.clientSecret",
        "velero.bucket.accessKeyId",
        "velero.bucket.secretAccessKey",
        "gitlab-runner.token",
        "tailscale-operator.clientId",
        "tailscale-operator.clientSecret",
        "netbird-operator.token",
        "headlamp.singleSignOn.clientSecret",
      ]
    `);
  });
});
