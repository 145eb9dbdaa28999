import { describe, expect, it } from "vitest";
import { parseDeployed, type Deployed } from "../../stacks/deployed.ts";
import { program } from "../../stacks/program.ts";
import { recordGraph, type GraphNode } from "../support/record-graph.ts";
import { stackConfig } from "../support/stack-file.ts";

type Sites = Record<string, { pools: Record<string, { machines: Record<string, unknown> }> }>;

const stack = stackConfig("prod");
const sites = JSON.parse(stack.config["hybrid-k3s:sites"]!) as Sites;
const { tokyo } = sites as { readonly tokyo: Sites[string] };

/** One run of the stack with other sites and releases: its resources, and what it leaves for the next one. */
async function run(
  wanted: { readonly sites: Sites; readonly platform: object; readonly accept?: object },
  before?: Deployed,
): Promise<{ nodes: readonly GraphNode[]; deployed: Deployed }> {
  const config = {
    ...stack.config,
    "hybrid-k3s:sites": JSON.stringify(wanted.sites),
    "hybrid-k3s:platform": JSON.stringify(wanted.platform),
    ...(wanted.accept === undefined ? {} : { "hybrid-k3s:accept": JSON.stringify(wanted.accept) }),
  };
  const state: typeof stack.state = (type, name) =>
    type === "pulumi:pulumi:StackReference" && before !== undefined
      ? { outputs: { deployed: before } }
      : stack.state(type, name);
  let left: unknown;
  const nodes = await recordGraph(
    async () => {
      const region = await program();
      region.deployed.apply((value) => (left = value));
      return region;
    },
    { ...stack, config, state },
  );
  return { nodes, deployed: parseDeployed(JSON.parse(JSON.stringify(left)))! };
}

/** Values of a release's chart. */
const valuesOf = (nodes: readonly GraphNode[], chart: string): unknown =>
  nodes.find(({ type, inputs }) => type === "kubernetes:helm.sh/v3:Release" && inputs["chart"] === chart)?.inputs[
    "values"
  ];

describe("a region that grows by a site", () => {
  it("leaves what keeps data where it is, and as many", async () => {
    const platform = { nats: {}, openbao: {} };
    const first = await run({ sites: { tokyo }, platform });
    expect(first.deployed.lasting).toEqual({
      nats: { volumes: { nats: ["tokyo/control"] }, facts: { replicas: 3 } },
      openbao: { volumes: { openbao: ["tokyo/control"] }, facts: { replicas: 3 } },
    });
    const second = await run({ sites, platform }, first.deployed);
    for (const chart of ["nats", "openbao"]) {
      expect(valuesOf(first.nodes, chart)).toBeDefined();
      expect(valuesOf(second.nodes, chart)).toEqual(valuesOf(first.nodes, chart));
    }
    expect(second.deployed.lasting).toEqual(first.deployed.lasting);
    // A new release goes where it would go in a new region.
    const third = await run({ sites, platform: { ...platform, loki: {} } }, second.deployed);
    expect(third.deployed.lasting).toMatchObject({
      ...first.deployed.lasting,
      loki: { volumes: { loki: ["sapporo/home"] } },
    });
  });

  it("is refused before anything is declared where a setting moves it, and goes on once that is accepted", async () => {
    const first = await run({ sites: { tokyo }, platform: { nats: {} } });
    const platform = { nats: { place: { site: "sapporo" } } };
    await expect(run({ sites, platform }, first.deployed)).rejects.toThrow(
      /^1 guardrail refuses this update\. Nothing was touched\.\n {2}release-reshaped: [^\n]*\n {4}platform\.nats\.place: /,
    );
    const accept = { "release-reshaped": "its streams are saved" };
    const second = await run({ sites, platform, accept }, first.deployed);
    expect(second.deployed.lasting).toMatchObject({ nats: { volumes: { nats: ["sapporo/home"] } } });
  });
});
