import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CATALOGUE } from "../../components/platform/catalogue.ts";
import { RETIRED } from "../../components/platform/retired.ts";
import { said } from "./platform-settings.ts";

describe("a release that is kept no more", () => {
  test("is refused with what to write in its place", () => {
    const [problem = "", ...others] = said({ "ingress-nginx": {} });
    expect(others).toEqual([]);
    expect(problem).toMatch(
      /^platform\.ingress-nginx: found ingress-nginx, which gets no fixes any more since March 2026 · /,
    );
    expect(problem).toMatch(/ · fix: write traefik, .*docs\/ingress\.md has the steps$/);
    expect(existsSync(new URL("../../docs/ingress.md", import.meta.url))).toBe(true);
  });

  test.each(Object.entries(RETIRED))("%s is none of the catalogue, and its successor is", (name, { fix }) => {
    const names = CATALOGUE.map((one) => one.name);
    expect(names).not.toContain(name);
    expect(names).toContain(/^write ([a-z-]+)/.exec(fix)?.[1]);
  });

  test("is one only as a release: elsewhere the word is an unknown key like any other", () => {
    expect(said({ garage: { minio: true } })[0]).toMatch(/^platform\.garage\.minio: found an unknown key/);
  });
});

test("the page on leaving ingress-nginx names settings that there are", () => {
  const page = readFileSync(new URL("../../docs/ingress.md", import.meta.url), "utf8");
  expect(page).toContain("platform.cert-manager.issuer.ingressClass");
  const fine = { "cert-manager": { issuer: { email: "ops@example.com", ingressClass: "traefik" } } };
  expect(said(fine)).toEqual([]);
});
