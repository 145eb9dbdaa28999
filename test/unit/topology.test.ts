import { expect, test } from "vitest";
import { parseSettings } from "../../stacks/settings.ts";
import { topologyOf } from "../../stacks/topology.ts";
import { goodFixture } from "./settings-fixtures.ts";

const topology = (name: string) => {
  const { settings, regions } = goodFixture(name);
  return topologyOf(parseSettings(settings, regions));
};

test("a site of Hetzner says where its servers may be, the preferred location first", () => {
  expect(topology("hetzner").sites).toEqual([{ name: "cloud", kind: "hetzner", locations: ["nbg1", "fsn1", "hel1"] }]);
  expect(topology("lima").sites.flatMap(({ locations }) => locations ?? [])).toEqual([]);
});
