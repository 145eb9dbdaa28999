import { expect, test } from "vitest";
import { kernelSettings } from "../../stacks/kernel-settings.ts";
import { parseSettings } from "../../stacks/settings.ts";
import { goodFixture } from "./settings-fixtures.ts";

const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINGpYjyW3iY9VQ6FPidCPMvC9LTxqNJzCwiFqYZMjoiA";

const settingsWith = (platform: unknown) => {
  const { settings, regions } = goodFixture("minimal");
  const { rack } = settings["sites"] as { rack: { pools: object } };
  const builders = { role: "agent", machines: { builder: { address: "10.20.0.90", hostKey: HOST_KEY } } };
  const sites = { rack: { ...rack, pools: { ...rack.pools, builders } } };
  return parseSettings({ ...settings, sites, platform }, regions);
};

test("machines that BuildKit may run on let it make namespaces without root, and no others", () => {
  const settings = settingsWith({ buildkit: { place: { pool: "builders" } }, "sealed-secrets": {} });
  const kernel = kernelSettings(settings);
  expect(kernel({ site: "rack", pool: "builders" })).toEqual(["kernel.apparmor_restrict_unprivileged_userns=0"]);
  expect(kernel({ site: "rack", pool: "control" })).toEqual([]);
});

test("a region without such releases leaves kernels alone", () => {
  const settings = settingsWith({ "sealed-secrets": {} });
  expect(kernelSettings(settings)({ site: "rack", pool: "builders" })).toEqual([]);
});
