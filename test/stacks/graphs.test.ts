import { describe, expect, it } from "vitest";
import { program } from "../../stacks/program.ts";
import { recordGraph, type GraphNode } from "../support/record-graph.ts";
import { renderGraph } from "../support/render-graph.ts";
import { PLANTED_SECRET, PLANTED_VALUE, stackConfig, stackNames } from "../support/stack-file.ts";

const STACK = "pulumi:pulumi:Stack";
/** What stands at the top of a stack on purpose: the components, the provider, and the stack's look at itself. */
const TOP_LEVEL = /^(hybrid-k3s:|pulumi:providers:kubernetes$|pulumi:pulumi:StackReference$|pulumi:pulumi:Stack$)/;

const record = (stack: string, preview = false): Promise<GraphNode[]> =>
  recordGraph(() => program(), { ...stackConfig(stack), preview });

it("covers the stacks that the project ships", () => {
  expect(stackNames()).toEqual(expect.arrayContaining(["dev", "fsn1", "mn", "prod"]));
});

describe.each(stackNames())("stack %s", (stack) => {
  it("is the graph that was reviewed", async () => {
    await expect(renderGraph(await record(stack))).toMatchFileSnapshot(`__graphs__/${stack}.txt`);
  });

  it("registers the same resources in a preview as in an update", async () => {
    const names = (nodes: readonly GraphNode[]) => nodes.map(({ parent, type, name }) => `${parent} ${type}::${name}`);
    expect(names(await record(stack, true))).toEqual(names(await record(stack)));
  });

  it("keeps every secret out of what is stored or shown in clear", async () => {
    const text = JSON.stringify(await record(stack));
    expect(text).not.toMatch(/password-of-|PRIVATE KEY/);
    expect(text).not.toContain(PLANTED_SECRET);
    expect(text).not.toContain(PLANTED_VALUE);
  });

  it("gives every resource a parent, and ties what lives in the cluster to the cluster's end", async () => {
    const nodes = await record(stack);
    const orphans = nodes.filter(
      ({ parent, type }) => (parent === "" || parent.startsWith(STACK)) && !TOP_LEVEL.test(type),
    );
    expect(orphans.map(({ name }) => name)).toEqual([]);
    const inCluster = nodes.filter(({ name, type }) => name.endsWith("-member") || type.startsWith("kubernetes:"));
    expect(inCluster.length).toBeGreaterThan(0);
    for (const node of inCluster) expect(node.options["deletedWith"], node.name).toMatch(/-anchor$/);
  });

  it("talks to the cluster through one provider with a fixed identifier", async () => {
    const providers = (await record(stack)).filter(({ type }) => type === "pulumi:providers:kubernetes");
    expect(providers).toHaveLength(1);
    expect(providers[0]!.inputs).toMatchObject({
      kubeconfig: "[secret]",
      clusterIdentifier: expect.stringMatching(/\w/) as string,
    });
  });

  it("has no cycle", async () => {
    const nodes = await record(stack);
    const dependsOn = new Map(nodes.map(({ name, dependsOn: names }) => [name, names]));
    const done = new Set<string>();
    const visit = (name: string, path: readonly string[]): void => {
      if (path.includes(name)) throw new Error(`cycle: ${[...path, name].join(" → ")}`);
      if (done.has(name)) return;
      for (const next of dependsOn.get(name) ?? []) if (next !== name) visit(next, [...path, name]);
      done.add(name);
    };
    for (const { name } of nodes) visit(name, []);
    expect(done.size).toBe(new Set(nodes.map(({ name }) => name)).size);
  });
});

it("sets what BuildKit needs of the kernel on the machines that it may run on, before k3s", async () => {
  const stack = stackConfig("prod");
  const platform = { ...(JSON.parse(stack.config["hybrid-k3s:platform"]!) as object), buildkit: {} };
  const config = { ...stack.config, "hybrid-k3s:platform": JSON.stringify(platform) };
  const nodes = await recordGraph(() => program(), { ...stack, config });
  const set = nodes.filter(
    ({ name, inputs }) =>
      name.endsWith("-k3s") && String(inputs["update"]).includes("kernel.apparmor_restrict_unprivileged_userns=0"),
  );
  expect(set.map(({ name }) => name).sort()).toEqual(["agent-1-k3s", "agent-2-k3s", "agent-3-k3s", "agent-4-k3s"]);
});

describe("a refused stack", () => {
  it("creates nothing, and says everything that is wrong at once", async () => {
    const stack = stackConfig("prod");
    const sites = JSON.parse(stack.config["hybrid-k3s:sites"]!) as Record<
      string,
      { pools: Record<string, { machines: Record<string, unknown> }> }
    >;
    delete sites["tokyo"]!.pools["control"]!.machines["tokyo-d"];
    const config = { ...stack.config, "hybrid-k3s:sites": JSON.stringify(sites) };
    await expect(recordGraph(() => program(), { ...stack, config })).rejects.toThrow(
      /^1 guardrail refuses this update\. Nothing was touched\.\n {2}even-servers: /,
    );
  });
});
