import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { ExistingSite } from "../../components/existing/site.ts";
import { parseCommandText } from "../../components/host/command-text.ts";
import { Cluster } from "../../components/k3s/cluster.ts";
import type { ServerContact } from "../../components/k3s/contacts.ts";
import type { MachineSpec } from "../../components/machine.ts";
import { present } from "../../components/present.ts";
import { fakeOutputs } from "../support/fakes.ts";
import { recordGraph, type GraphNode } from "../support/record-graph.ts";
import { clusterPlan, HOST_KEY, machineSpec, PRIVATE_KEY, sshTarget } from "../support/sample.ts";

const digests = { amd64: "a".repeat(64), arm64: "", installer: "" };
const addressOf = (name: string): string => `10.20.0.${name.charCodeAt(name.length - 1)}`;

const declare = (
  specs: readonly MachineSpec[],
  more: {
    earlierContacts?: readonly ServerContact[];
    parallelism?: number;
    endpoint?: string;
    kernel?: (spec: MachineSpec) => readonly string[];
  } = {},
) => {
  const { earlierContacts, kernel, ...kubernetes } = more;
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
  return new Cluster("tokyo", {
    plan: clusterPlan(kubernetes),
    machines: site.machines,
    digests,
    privateKey: PRIVATE_KEY,
    ...present({ earlierContacts, kernel }),
  });
};

const record = (specs: readonly MachineSpec[], more = {}) =>
  recordGraph(
    () => {
      declare(specs, more);
    },
    { state: fakeOutputs },
  );
const find = (nodes: readonly GraphNode[], name: string): GraphNode => {
  const found = nodes.find((node) => node.name === name);
  if (found === undefined) throw new Error(`no resource named ${name}`);
  return found;
};
const callOf = (node: GraphNode, input: "create" | "update" | "delete") =>
  parseCommandText(String(node.inputs[input]))!;
const servers = ["s-c", "s-a", "s-b"].map((name) => machineSpec(name, "server"));
const agents = (count: number) => Array.from({ length: count }, (_, index) => machineSpec(`w-${index}`, "agent"));
/** Resources that a resource waits for, through any number of others. */
const waitsFor = (nodes: readonly GraphNode[], name: string): Set<string> => {
  const seen = new Set<string>();
  const visit = (one: string): void => {
    for (const next of find(nodes, one).dependsOn) {
      if (seen.has(next)) continue;
      seen.add(next);
      visit(next);
    }
  };
  visit(name);
  return seen;
};

describe("a cluster", () => {
  it("brings servers up one after another in the order of their names, whatever order they are given in", async () => {
    const nodes = await record(servers);
    expect(find(nodes, "s-a-k3s").dependsOn).not.toContain("s-b-member");
    expect(find(nodes, "s-b-k3s").dependsOn).toContain("s-a-member");
    expect(find(nodes, "s-c-k3s").dependsOn).toContain("s-b-member");
    expect(find(nodes, "s-c-member").dependsOn).toContain("s-c-k3s");
  });

  it("works on agents after every server, so many at a time", async () => {
    const nodes = await record([...servers, ...agents(5)], { parallelism: 2 });
    expect([...waitsFor(nodes, "w-0-k3s")]).toEqual(expect.arrayContaining(["s-a-member", "s-b-member", "s-c-member"]));
    expect(waitsFor(nodes, "w-1-k3s")).not.toContain("w-0-member");
    expect(find(nodes, "w-2-k3s").dependsOn).toContain("w-0-member");
    expect(find(nodes, "w-4-k3s").dependsOn).toContain("w-2-member");
  });

  it("sets on a machine's kernel what is to run there needs, beside the hardening guide's", async () => {
    const kernel = ({ name }: MachineSpec) => (name === "w-1" ? ["kernel.example=0"] : []);
    const nodes = await record([...servers, ...agents(2)], { kernel });
    const set = (name: string) => callOf(find(nodes, `${name}-k3s`), "update").parameters["SYSCTL"];
    expect(set("w-1")).toBe(`${set("w-0")}kernel.example=0\n`);
    expect(set("w-0")).toContain("vm.overcommit_memory=1\n");
  });

  it("lets one server alone start the cluster, and none once there is one", async () => {
    const starts = (nodes: readonly GraphNode[]) =>
      ["s-a", "s-b", "s-c"].map((name) => {
        const { MAY_INITIALISE, CLUSTER_EXISTS } = callOf(find(nodes, `${name}-k3s`), "create").parameters;
        return [MAY_INITIALISE, CLUSTER_EXISTS];
      });
    expect(starts(await record(servers))).toEqual([
      ["yes", "no"],
      ["no", "no"],
      ["no", "no"],
    ]);
    expect(starts(await record(servers, { earlierContacts: [] }))).toEqual([
      ["yes", "yes"],
      ["no", "yes"],
      ["no", "yes"],
    ]);
  });

  it("keeps what only counts for a new node out of what an update compares", async () => {
    const node = find(await record(servers), "s-b-k3s");
    expect(node.options["ignoreChanges"]).toEqual(["create"]);
    const [create, update] = [callOf(node, "create"), callOf(node, "update")];
    expect(create.action).toBe("install");
    expect(update.action).toBe("converge");
    expect(Object.keys(create.parameters).filter((name) => !(name in update.parameters))).toEqual([
      "CANDIDATES",
      "CLUSTER_EXISTS",
      "MAY_INITIALISE",
      "REGISTRATION",
    ]);
    expect(create.parameters["CANDIDATES"]).toBe(`${addressOf("s-a")} ${addressOf("s-c")}`);
  });

  it("sends a leaving node's work to the others, and ties every life to the right thing", async () => {
    const nodes = await record(servers);
    const member = find(nodes, "s-a-member");
    const targets = callOf(member, "delete")
      .parameters["TARGETS"]!.split("\n")
      .map((line) => line.split(" ")[0]);
    expect(callOf(member, "delete").action).toBe("leave");
    expect(targets).toEqual(["s-b", "s-c"]);
    expect(member.options).toMatchObject({ deletedWith: "tokyo-anchor", deleteBeforeReplace: true });
    expect(find(nodes, "s-a-k3s").options).toMatchObject({ deletedWith: "s-a-host", deleteBeforeReplace: true });
    expect(find(nodes, "s-a-k3s").inputs).not.toHaveProperty("delete");
    expect(find(nodes, "s-a-k3s").inputs["triggers"]).toEqual(["s-a-host-id"]);
    expect(find(nodes, "s-a-host").options).toMatchObject({
      replacementTrigger: "1 server",
      deleteBeforeReplace: true,
    });
    expect(find(nodes, "s-a-host").options).not.toHaveProperty("deletedWith");
  });

  it("pins the host key, budgets its time and hides its output wherever it connects", async () => {
    const nodes = (await record([...servers, ...agents(1)])).filter(({ type }) => type.startsWith("command:"));
    expect(nodes).toHaveLength(12);
    for (const node of nodes) {
      expect(node.inputs["addPreviousOutputInEnv"], node.name).toBe(false);
      expect(node.inputs["stdin"], node.name).toBe("[secret]");
      expect(node.options["secretOutputs"], node.name).toEqual(expect.arrayContaining(["stdout", "stderr"]));
      expect(node.options["timeouts"], node.name).toHaveProperty("create");
      if (node.type.includes("remote")) {
        expect(node.inputs["logging"]).toBe("none");
        expect(node.inputs["connection"]).toBe("[secret]");
      }
    }
    const revealed = await recordGraph(() => void declare(servers), { state: fakeOutputs, reveal: true });
    const connections = revealed
      .filter(({ type }) => type.includes("remote"))
      .map(({ inputs }) => inputs["connection"]);
    expect(connections).toHaveLength(3);
    for (const connection of connections) {
      expect(connection).toMatchObject({ hostKey: HOST_KEY, dialErrorLimit: 20, privateKey: "planted-private-key" });
    }
  });

  it("shows no secret in a command, a name or an option", async () => {
    const text = JSON.stringify(await record([...servers, ...agents(2)]));
    expect(text).not.toMatch(/planted-private-key|password-of-|EC PRIVATE KEY/);
  });

  it("registers the same resources in a preview as in an update", async () => {
    const declareAll = () => {
      declare([...servers, ...agents(2)]);
    };
    const names = (nodes: readonly GraphNode[]) => nodes.map(({ type, name }) => `${type}::${name}`);
    const [update, preview] = [
      await recordGraph(declareAll, { state: fakeOutputs }),
      await recordGraph(declareAll, { preview: true, state: fakeOutputs }),
    ];
    expect(names(preview)).toEqual(names(update));
  });
});

describe("the endpoint of a cluster", () => {
  const endpointOf = async (specs: readonly MachineSpec[], more = {}) => {
    let endpoint = "";
    await recordGraph(
      () => {
        declare(specs, more).endpoint.apply((value) => (endpoint = value));
      },
      { state: fakeOutputs },
    );
    return endpoint;
  };
  const earlier = ["s-a", "s-b", "s-c"].map((name) => ({
    name,
    reach: addressOf(name),
    ...sshTarget(addressOf(name)),
  }));

  it("is the one the settings name", async () => {
    expect(await endpointOf(servers, { endpoint: "api.example.net" })).toBe("api.example.net");
  });

  it("is the first server that still stands", async () => {
    expect(await endpointOf(servers)).toBe(addressOf("s-a"));
    expect(
      await endpointOf(
        servers.filter(({ name }) => name !== "s-a"),
        { earlierContacts: earlier },
      ),
    ).toBe(addressOf("s-b"));
  });
});

describe("a jump host", () => {
  it("is connected to with its own pinned key", async () => {
    const jump = { host: "bastion.example.net", port: 2222, user: "ops", hostKey: "ssh-ed25519 AAAAjump" };
    const nodes = await recordGraph(
      () => {
        const [spec] = [machineSpec("s-a", "server")];
        const site = new ExistingSite("tokyo-rack", {
          region: "tokyo",
          hosts: [{ spec, address: "10.20.0.1", ssh: sshTarget("10.20.0.1", { jump }), reach: "10.20.0.1" }],
          privateKey: pulumi.output("plain-key"),
          connectSeconds: 300,
        });
        new Cluster("tokyo", {
          plan: clusterPlan(),
          machines: site.machines,
          digests,
          privateKey: pulumi.output("plain-key"),
        });
      },
      { state: fakeOutputs, reveal: true },
    );
    expect(find(nodes, "s-a-k3s").inputs["connection"]).toMatchObject({
      proxy: { host: "bastion.example.net", port: 2222, hostKey: "ssh-ed25519 AAAAjump" },
    });
    expect(callOf(find(nodes, "s-a-host"), "create").parameters["TARGETS"]).toContain(
      "ops@bastion.example.net:2222 ssh-ed25519 AAAAjump",
    );
  });
});
