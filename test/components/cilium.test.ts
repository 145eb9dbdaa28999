import { describe, expect, it } from "vitest";
import { ExistingSite } from "../../components/existing/site.ts";
import { parseCommandText } from "../../components/host/command-text.ts";
import type { CiliumSettings } from "../../components/k3s/cilium-settings.ts";
import { Cluster } from "../../components/k3s/cluster.ts";
import type { ServerContact } from "../../components/k3s/contacts.ts";
import { fakeOutputs } from "../support/fakes.ts";
import { recordGraph, type GraphNode } from "../support/record-graph.ts";
import { ciliumPlan, ciliumSettings, clusterPlan, machineSpec, PRIVATE_KEY, sshTarget } from "../support/sample.ts";

const addressOf = (name: string): string => `10.20.0.${name.charCodeAt(name.length - 1)}`;

interface Wanted {
  readonly cilium?: Partial<CiliumSettings>;
  readonly secretConfig?: boolean;
  readonly earlierContacts?: readonly ServerContact[];
  readonly reveal?: boolean;
}

const record = (
  servers: readonly string[],
  { cilium = {}, secretConfig = false, earlierContacts, reveal = false }: Wanted = {},
) =>
  recordGraph(
    () => {
      const specs = [...servers.map((name) => machineSpec(name, "server")), machineSpec("w-a", "agent")];
      const site = new ExistingSite("tokyo-rack", {
        region: "tokyo",
        hosts: specs.map((spec) => ({
          spec,
          address: addressOf(spec.name),
          ssh: sshTarget(addressOf(spec.name)),
          reach: addressOf(spec.name),
        })),
        privateKey: PRIVATE_KEY,
        connectSeconds: 300,
      });
      new Cluster("tokyo", {
        plan: {
          ...clusterPlan({ cni: "cilium", cilium: { ...ciliumSettings, ...cilium } }),
          secretConfig,
          cilium: ciliumPlan(cilium, { poolSite: "rack" }),
        },
        machines: site.machines,
        digests: { amd64: "", arm64: "", installer: "" },
        privateKey: PRIVATE_KEY,
        ...(earlierContacts === undefined ? {} : { earlierContacts }),
      });
    },
    { state: fakeOutputs, reveal },
  );

const find = (nodes: readonly GraphNode[], name: string): GraphNode => {
  const found = nodes.find((node) => node.name === name);
  if (found === undefined) throw new Error(`no resource named ${name}`);
  return found;
};
const callOf = (node: GraphNode, input: "create" | "update" | "delete") =>
  parseCommandText(String(node.inputs[input]))!;
const targetsOf = (node: GraphNode): (string | undefined)[] =>
  callOf(node, "create")
    .parameters["TARGETS"]!.split("\n")
    .map((line) => line.split(" ")[0]);

describe("Cilium", () => {
  it("comes after the first server's k3s and before its membership, and with that before everything else", async () => {
    const nodes = await record(["s-b", "s-a", "s-c"]);
    const cni = find(nodes, "tokyo-cni");
    expect(cni.dependsOn).toContain("s-a-k3s");
    expect(cni.dependsOn.filter((name) => name.endsWith("-member"))).toEqual([]);
    expect(find(nodes, "s-a-member").dependsOn).toEqual(expect.arrayContaining(["s-a-k3s", "tokyo-cni"]));
    expect(find(nodes, "s-b-member").dependsOn).not.toContain("tokyo-cni");
    expect(find(nodes, "s-b-k3s").dependsOn).toContain("s-a-member");
  });

  it("is tied to no server: any of them does the work, and nothing of it ends with one", async () => {
    const nodes = await record(["s-a", "s-b", "s-c"]);
    const cni = find(nodes, "tokyo-cni");
    expect(targetsOf(cni)).toEqual(["s-a", "s-b", "s-c"]);
    expect(cni.options).toMatchObject({ deletedWith: "tokyo-anchor" });
    expect(cni.inputs).not.toHaveProperty("delete");
    expect(cni.inputs).not.toHaveProperty("triggers");
  });

  it("is the same command when the first server is gone, so that its leaving touches nothing", async () => {
    const earlierContacts = ["s-a", "s-b", "s-c"].map((name) => ({
      name,
      reach: addressOf(name),
      ...sshTarget(addressOf(name)),
    }));
    const before = find(await record(["s-a", "s-b", "s-c"], { earlierContacts }), "tokyo-cni");
    const after = find(await record(["s-b", "s-c"], { earlierContacts }), "tokyo-cni");
    const same = (node: GraphNode) => {
      const { CHART, ...rest } = callOf(node, "update").parameters;
      return { ...rest, chart: CHART?.replace(/replicas: \d/, "") };
    };
    expect(same(after)).toEqual(same(before));
    expect(after.dependsOn).toContain("s-b-k3s");
  });

  it("shows its chart in a preview, unless the settings hold a secret", async () => {
    const open = callOf(find(await record(["s-a"]), "tokyo-cni"), "update");
    expect(open.action).toBe("apply");
    expect(open.parameters["CHART"]).toContain("kind: HelmChart");
    const values = { extraEnv: "hunter2" };
    const nodes = await record(["s-a"], { cilium: { values }, secretConfig: true });
    expect(JSON.stringify(nodes)).not.toContain("hunter2");
    expect(callOf(find(nodes, "tokyo-cni"), "update").parameters["CHART_DIGEST"]).toMatch(/^[0-9a-f]{12}$/);
    const revealed = await record(["s-a"], { cilium: { values }, secretConfig: true, reveal: true });
    expect(String(find(revealed, "tokyo-cni").inputs["stdin"]).length).toBeGreaterThan(
      String(find(await record(["s-a"], { reveal: true }), "tokyo-cni").inputs["stdin"]).length,
    );
  });

  it("gives nodes longer to be Ready, for its image is large", async () => {
    const nodes = await record(["s-a"]);
    expect(callOf(find(nodes, "w-a-member"), "create").parameters["READY_SECONDS"]).toBe("600");
  });

  it("gets its addresses once all nodes are there, and gives them back when the settings state none", async () => {
    const pool = [{ start: "10.20.0.200", stop: "10.20.0.220" }];
    const nodes = await record(["s-a"], { cilium: { loadBalancerPool: pool } });
    const addresses = find(nodes, "tokyo-addresses");
    expect(addresses.dependsOn).toEqual(expect.arrayContaining(["s-a-member", "w-a-member"]));
    expect(callOf(addresses, "create").parameters["OBJECTS"]).toContain("start: 10.20.0.200");
    expect(callOf(addresses, "delete").action).toBe("remove");
    expect(addresses.options).toMatchObject({ deletedWith: "tokyo-anchor" });
    expect((await record(["s-a"])).map(({ name }) => name)).not.toContain("tokyo-addresses");
  });
});
