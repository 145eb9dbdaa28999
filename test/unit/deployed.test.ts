import { describe, expect, it } from "vitest";
import { DEPLOYED_SCHEMA, parseDeployed, type Deployed } from "../../stacks/deployed.ts";

const record: Deployed = {
  schema: DEPLOYED_SCHEMA,
  region: "tokyo",
  versions: { kubernetes: "v1.36.3+k3s1", cilium: "1.20.2", releases: { "cert-manager": "v1.21.2" } },
  cni: "cilium",
  mesh: "tailscale",
  ranges: { pods: "10.66.0.0/16", services: "10.67.0.0/16" },
  nodes: [{ name: "s-1", role: "server", site: "rack", pool: "control", generation: 1, address: "10.20.0.11" }],
  lasting: { nats: { volumes: { nats: ["rack/control"] }, facts: { replicas: 1 } } },
  costs: { USD: 44 },
  contacts: [{ name: "s-1", reach: "1", host: "10.20.0.11", port: 22, user: "root", hostKey: "ssh-ed25519 AAAA" }],
};

describe("the record of what runs", () => {
  it("is nothing before the first successful run", () => {
    expect(parseDeployed(undefined)).toBeUndefined();
  });

  it("reads back as it was written, and what a later version adds to it is left out", () => {
    expect(parseDeployed({ ...record, addedLater: true })).toEqual(record);
  });

  it("of an earlier version had flannel and no mesh", () => {
    const earlier = Object.fromEntries(Object.entries(record).filter(([key]) => key !== "cni" && key !== "mesh"));
    expect(parseDeployed(earlier)).toMatchObject({ cni: "flannel-vxlan", mesh: "none" });
  });

  it("of an earlier version does not say what data hangs on", () => {
    const earlier = Object.fromEntries(Object.entries(record).filter(([key]) => key !== "lasting"));
    expect(parseDeployed(earlier)).not.toHaveProperty("lasting");
  });

  it.each([
    [
      2,
      "deployed.schema: found 2 · allowed 1 · fix: this stack was last updated by a newer hybrid-k3s; use that version or a newer one",
    ],
    [
      0,
      "deployed.schema: found 0 · allowed 1 · fix: the record is damaged; repair the `deployed` output with pulumi stack export and import, then run again",
    ],
    [
      undefined,
      "deployed.schema: found nothing · allowed 1 · fix: the record is damaged; repair the `deployed` output with pulumi stack export and import, then run again",
    ],
  ])("is refused with schema number %s, with a word on what to do", (schema, message) => {
    expect(() => parseDeployed({ ...record, schema })).toThrow(message);
  });

  it("is refused when a part of it is missing, and the part is named", () => {
    expect(() => parseDeployed({ ...record, nodes: undefined })).toThrow(
      /^deployed: found a record that schema 1 does not describe · fix: repair it[\s\S]*nodes/,
    );
  });
});
