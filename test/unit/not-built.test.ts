import { expect, it } from "vitest";
import { notBuilt } from "../../stacks/not-built.ts";
import type { RegionSettings } from "../../stacks/region-settings.ts";

const plain = {
  mesh: { provider: "none" },
  hostFirewall: { enabled: true },
  sites: [],
} as unknown as RegionSettings;

it("lets settings pass that are carried out", () => {
  expect(notBuilt(plain)).toEqual([]);
});

it("refuses every setting that is read and not carried out yet, all at once", () => {
  const settings = {
    mesh: { provider: "tailscale" },
    sites: [
      {
        name: "home",
        nodeAddresses: "mesh",
        machines: [{ name: "agent-1", site: "home", pool: "work", role: "agent", relay: true }],
      },
    ],
  } as unknown as RegionSettings;
  expect(notBuilt(settings).map((line) => line.split(":")[0])).toEqual([
    "mesh.provider",
    "sites.home.nodeAddresses",
    "sites.home.pools.work.machines.agent-1.relay",
  ]);
  expect(notBuilt(settings)[0]).toBe(
    "mesh.provider: found tailscale · allowed none, for now · fix: take it out: this version does not carry it out yet",
  );
});
