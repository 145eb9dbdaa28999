import { expect, test } from "vitest";
import { parseSettings } from "../../stacks/settings.ts";
import { topologyOf } from "../../stacks/topology.ts";
import { goodFixture } from "./settings-fixtures.ts";

const topology = (name: string, more: object = {}) => {
  const { settings, regions } = goodFixture(name);
  return topologyOf(parseSettings({ ...settings, ...more }, regions));
};

test("a site of Hetzner says where its servers may be, the preferred location first", () => {
  expect(topology("hetzner").sites).toEqual([{ name: "cloud", kind: "hetzner", locations: ["nbg1", "fsn1", "hel1"] }]);
  expect(topology("lima").sites.flatMap(({ locations }) => locations ?? [])).toEqual([]);
});

test("the issuer of cert-manager proves by DNS what its token is for", () => {
  const proven = (issuer?: object) =>
    topology("minimal", {
      platform: { "cert-manager": issuer === undefined ? {} : { issuer: { email: "ops@example.net", ...issuer } } },
    }).dnsProven;
  expect(topology("minimal").dnsProven).toBeUndefined();
  expect(proven()).toBeUndefined();
  expect(proven({})).toEqual([]);
  expect(proven({ zones: ["example.net"] })).toEqual([]);
  expect(proven({ cloudflareToken: "example" })).toBe("all");
  expect(proven({ cloudflareToken: "example", zones: ["example.net"] })).toEqual(["example.net"]);
});
