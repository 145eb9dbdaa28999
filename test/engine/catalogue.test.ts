import { expect, test } from "vitest";
import { CATALOGUE } from "../../components/platform/catalogue.ts";
import { encryptedFixture } from "../support/release-fixtures.ts";
import { fine, openSample, sampleSettings, stepsOf } from "./sample.ts";

/** They would take what another one of the catalogue takes, or a cloud that this region has not. */
const APART = ["envoy-gateway", "hcloud-csi"];

test("every release goes into one region beside the others, is at rest there, and leaves with it", async () => {
  const names = CATALOGUE.map(({ name }) => name).filter((name) => !APART.includes(name));
  const platform = Object.fromEntries(names.map((name) => [name, encryptedFixture(name, "minimal")]));
  // Namespaces of other people's are not there.
  platform["network-policies"] = { namespaces: ["default"] };
  // The rules for pods are kept by the API server here.
  platform["kyverno"] = { policies: [] };
  const rehearsal = await openSample({
    ...sampleSettings({ agents: {}, platform }),
    "hybrid-k3s:accept": { "over-committed": "what is played asks for nothing" },
  });
  try {
    await rehearsal.edit({ "hybrid-k3s:kubernetes": { config: { disable: ["local-storage"] } } });
    const steps = stepsOf(await fine(rehearsal.up()));
    for (const { name, kind } of CATALOGUE)
      if (kind === "chart" && !APART.includes(name)) expect(steps).toContain(`create tokyo-${name}`);
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
    await fine(rehearsal.destroy());
  } finally {
    await rehearsal.close();
  }
});
