import { expect, test } from "vitest";
import { choicesOf } from "../../components/platform/capacity.ts";
import type { TopologyPool } from "../../components/platform/topology.ts";
import type { Workload } from "../../components/platform/workload.ts";

const pools = Array.from({ length: 40 }, (_, index): TopologyPool => ({
  site: `s${index % 3}`,
  name: `p${index}`,
  role: "agent",
  nodes: 1,
  sizes: [{ cpus: 2, memoryGiB: 4 }],
  ingress: false,
  intermittent: false,
  taints: [],
}));
const on = (...indexes: readonly number[]): Workload => ({
  name: "work",
  replicas: 1,
  requests: { cpu: 1, memory: 1 },
  spot: { pools: pools.filter((_, index) => indexes.includes(index)), nodeSelector: {}, tolerations: [] },
});
const chosen = (workloads: readonly Workload[]) =>
  choicesOf(pools, workloads).map((choice) => choice.map((pool) => pools.indexOf(pool)).join(" "));

test("looks at single pools, at what workloads name, alone and together, and at the region: in any number of pools", () => {
  const choices = chosen([on(0, 3), on(0, 3), on(3, 6), on(6, 9)]);
  expect(choices.slice(0, 40)).toEqual(pools.map((_, index) => `${index}`));
  expect(choices.slice(40)).toEqual([
    "0 3",
    "3 6",
    "6 9",
    "0 3 6",
    "3 6 9",
    "0 3 6 9",
    pools.map((_, index) => index).join(" "),
  ]);
});

test("looks at no choice for what runs on every node: what it asks for is on each pool", () => {
  expect(chosen([{ ...on(0, 3), replicas: "every-node" }])).toHaveLength(41);
});

test("looks at pairs alone where workloads name very many places", () => {
  const many = Array.from({ length: 36 }, (_, index) => on(index, index + 1));
  const choices = chosen(many);
  expect(choices.length).toBeLessThan(6000);
  expect(choices).toContain("0 1 35 36");
});
