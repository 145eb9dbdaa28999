import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { parseCommandText } from "../../components/host/command-text.ts";
import { LimaSite, type LimaMachine, type LimaSiteArgs } from "../../components/lima/site.ts";
import type { Machine } from "../../components/machine.ts";
import { fakeOutputs } from "../support/fakes.ts";
import { recordGraph, type GraphNode } from "../support/record-graph.ts";
import { HOST_KEY, machineSpec, sshTarget } from "../support/sample.ts";

const vm = (name: string, more: Partial<LimaMachine> = {}): LimaMachine => ({
  spec: machineSpec(name, "agent", { site: "mac" }),
  image: "ubuntu-24.04",
  cpus: 2,
  memoryGiB: 4,
  diskGiB: 40,
  deleteData: false,
  sshPort: 20_022,
  ...more,
});

const argsOf = (more: Partial<LimaSiteArgs> = {}): LimaSiteArgs => ({
  region: "tokyo",
  hostSystem: "macos",
  network: "shared",
  autostart: true,
  machines: [vm("vm-a")],
  login: { privateKey: pulumi.secret("planted-private-key"), publicKey: "ssh-ed25519 AAAAlogin", digest: "0a1b2c3d" },
  connectSeconds: 300,
  drainSeconds: 300,
  contacts: [],
  shapes: {},
  ...more,
});

async function record(more: Partial<LimaSiteArgs> = {}) {
  let machines: readonly Machine[] = [];
  const nodes = await recordGraph(
    () => {
      ({ machines } = new LimaSite("tokyo-mac", argsOf(more)));
    },
    { state: fakeOutputs },
  );
  return { nodes, machines };
}
const find = (nodes: readonly GraphNode[], name: string): GraphNode => {
  const found = nodes.find((node) => node.name === name);
  if (found === undefined) throw new Error(`no resource named ${name}`);
  return found;
};
const callOf = (node: GraphNode, input: "create" | "update" | "delete") =>
  parseCommandText(String(node.inputs[input]))!;
const known = <Value>(output: pulumi.Input<Value>): Promise<unknown> =>
  new Promise((resolve) => {
    pulumi.output(output).apply(resolve);
  });
const contact = { name: "s-a", ...sshTarget("10.20.0.11") };

describe("a Lima site", () => {
  test("drains before it changes a VM, and reads address and host key after it was made", async () => {
    const { nodes } = await record();
    expect(find(nodes, "vm-a-vm").dependsOn).toContain("vm-a-pause");
    expect(find(nodes, "vm-a-address").dependsOn).toContain("vm-a-vm");
    expect(find(nodes, "vm-a-host").dependsOn).toEqual(expect.arrayContaining(["vm-a-address", "vm-a-vm"]));
    expect(find(nodes, "vm-a-address").options).toMatchObject({ deletedWith: "vm-a-vm" });
    expect(find(nodes, "vm-a-vm").options).toMatchObject({
      replacementTrigger: "1 agent",
      deleteBeforeReplace: true,
      ignoreChanges: ["create"],
    });
  });

  test("touches the cluster only where a machine's shape differs from what it was left as", async () => {
    const ignored = async (more: Partial<LimaSiteArgs>) => {
      const { nodes } = await record({ contacts: [contact], ...more });
      return find(nodes, "vm-a-pause").options["ignoreChanges"];
    };
    expect(await ignored({})).toEqual(["update", "stdin"]);
    expect(await ignored({ shapes: { "vm-a": "2 CPUs, 4 GiB, 40 GiB disk" } })).toEqual(["update", "stdin"]);
    expect(await ignored({ shapes: { "vm-a": "2 CPUs, 2 GiB" } })).toBeUndefined();
    const { nodes } = await record({ contacts: [contact], shapes: { "vm-a": "2 CPUs, 2 GiB" } });
    const pause = find(nodes, "vm-a-pause");
    expect(pause.inputs).not.toHaveProperty("create");
    expect(callOf(pause, "update").parameters).toMatchObject({
      SHAPE: "2 CPUs, 4 GiB, 40 GiB disk",
      ROLE: "agent",
      REGION: "tokyo",
    });
    expect(callOf(pause, "update").parameters["TARGETS"]).toContain("s-a root@10.20.0.11:22");
  });

  test("runs on this computer without a host, and through the host where there is one", async () => {
    const here = find((await record()).nodes, "vm-a-vm");
    expect(callOf(here, "create").parameters).not.toHaveProperty("TARGETS");
    const host = sshTarget("imac.example.net", { user: "ops", port: 2222 });
    const there = find((await record({ host })).nodes, "vm-a-vm");
    expect(callOf(there, "create").parameters).toMatchObject({
      TARGETS: `the-Lima-host ops@imac.example.net:2222 ${HOST_KEY}`,
      AS_USER: "yes",
    });
  });

  test("is reached at its own address on a shared LAN, through the host where that is another computer", async () => {
    const [local] = (await record()).machines;
    expect(await known(local!.ssh.host)).toBe("address of vm-a-address");
    expect(local!.ssh.jump).toBeUndefined();
    expect(await known(local!.ssh.hostKey)).toBe("ssh-ed25519 key-of-vm-a-address");
    const [remote] = (await record({ host: sshTarget("imac.example.net", { user: "ops" }) })).machines;
    expect(remote!.ssh.jump).toMatchObject({ host: "imac.example.net", user: "ops" });
    expect(remote!.shape).toBe("2 CPUs, 4 GiB, 40 GiB disk");
  });

  test("is reached at a port of its host's loopback address on user-v2, and so is its API", async () => {
    const machines = [vm("vm-a", { spec: machineSpec("vm-a", "server") })];
    const recorded = await record({ network: "user-v2", hostSystem: "linux", machines });
    const [machine] = recorded.machines;
    expect(await known(machine!.ssh.host)).toBe("127.0.0.1");
    expect(await known(machine!.ssh.port)).toBe(20_022);
    expect(await known(machine!.apiAddress)).toBe("127.0.0.1");
    expect(callOf(find(recorded.nodes, "vm-a-vm"), "create").parameters["VM_YAML"]).toContain("hostPort: 6443");
  });

  test("keeps the data disk with the machine's end, unless it is to go too", async () => {
    const machines = [vm("vm-a", { dataGiB: 10 }), vm("vm-b", { dataGiB: 10, deleteData: true }), vm("vm-c")];
    const { nodes } = await record({ machines });
    const kept = machines.map(({ spec }) => {
      const { DATA_DISK, DELETE_DATA } = callOf(find(nodes, `${spec.name}-vm`), "delete").parameters;
      return [DATA_DISK, DELETE_DATA];
    });
    expect(kept).toEqual([
      ["tokyo-vm-a", "no"],
      ["tokyo-vm-b", "yes"],
      ["", "no"],
    ]);
    expect(callOf(find(nodes, "vm-a-host"), "create").parameters["DATA_DISK"]).toBe("spare");
  });

  test("shows no secret", async () => {
    expect(JSON.stringify((await record()).nodes)).not.toContain("planted-private-key");
  });
});
