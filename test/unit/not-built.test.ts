import { expect, it } from "vitest";
import { notBuilt } from "../../stacks/not-built.ts";
import type { RegionSettings } from "../../stacks/region-settings.ts";

const settings = (enabled: boolean) => ({ hostFirewall: { enabled } }) as unknown as RegionSettings;

it("lets settings pass that are carried out", () => {
  expect(notBuilt(settings(false))).toEqual([]);
});

it("refuses a setting that is read and not carried out yet", () => {
  expect(notBuilt(settings(true))).toEqual([
    "hostFirewall.enabled: found true · allowed false, for now · fix: take it out: this version does not carry it out yet",
  ]);
});
