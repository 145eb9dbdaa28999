import { expect, it } from "vitest";
import { tailnetPolicy, type TailnetPolicyArgs } from "../../components/mesh/tailnet-policy.ts";

const region: TailnetPolicyArgs = {
  tag: "tag:k3s-tokyo",
  owners: ["autogroup:admin"],
  operators: ["group:ops"],
  lans: ["192.168.105.0/24", "172.26.0.0/16"],
  relay: false,
};
const NODES = ["tag:k3s-tokyo", "172.26.0.0/16", "192.168.105.0/24"];

it("lets nodes reach each other on both kinds of address, and operators reach SSH and the API alone", () => {
  expect(tailnetPolicy(region).grants).toEqual([
    { src: NODES, dst: NODES, ip: ["*"] },
    { src: ["group:ops"], dst: NODES, ip: ["tcp:22", "tcp:6443", "icmp:*"] },
  ]);
});

it("approves the routes of its own LANs for its own tag, and names no machine", () => {
  expect(tailnetPolicy(region).autoApprovers.routes).toEqual({
    "172.26.0.0/16": ["tag:k3s-tokyo"],
    "192.168.105.0/24": ["tag:k3s-tokyo"],
  });
});

it("is the same text whatever the order of the settings", () => {
  const turned = { ...region, lans: [...region.lans].reverse(), operators: ["you@example.com", "group:ops"] };
  const straight = { ...region, operators: ["group:ops", "you@example.com"] };
  expect(JSON.stringify(tailnetPolicy(turned))).toBe(JSON.stringify(tailnetPolicy(straight)));
});

it("grants nothing to operators where there are none", () => {
  expect(tailnetPolicy({ ...region, operators: [] }).grants).toHaveLength(1);
});

it("lets nodes use a relay only where the region has one", () => {
  expect(tailnetPolicy({ ...region, relay: true }).grants.at(-1)).toEqual({
    src: ["tag:k3s-tokyo"],
    dst: ["tag:k3s-tokyo"],
    app: { "tailscale.com/cap/relay": [] },
  });
  expect(JSON.stringify(tailnetPolicy(region))).not.toContain("relay");
});

it("gives a site that two sites share once", () => {
  const lans = ["172.26.0.0/16", "172.26.0.0/16"];
  expect(Object.keys(tailnetPolicy({ ...region, lans }).autoApprovers.routes)).toEqual(["172.26.0.0/16"]);
});
