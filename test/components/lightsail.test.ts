import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { DATA_PATH } from "../../components/bootstrap/baseline.ts";
import { parseCommandText } from "../../components/host/command-text.ts";
import type { MachineSpec } from "../../components/machine.ts";
import { LightsailSite, type LightsailMachine, type LightsailSiteArgs } from "../../components/lightsail/site.ts";
import { fakeOutputs } from "../support/fakes.ts";
import { playedMesh } from "../support/played-mesh.ts";
import { recordGraph, type GraphNode, type RecordOptions } from "../support/record-graph.ts";
import { machineSpec, PRIVATE_KEY } from "../support/sample.ts";

const login = { privateKey: PRIVATE_KEY, publicKey: "ssh-ed25519 AAAAlogin", digest: "0a1b2c3d" };

const machine = (
  name: string,
  role: MachineSpec["role"],
  { spec = {}, ...more }: Partial<Omit<LightsailMachine, "spec">> & { spec?: Partial<MachineSpec> } = {},
): LightsailMachine => ({
  spec: machineSpec(name, role, { site: "tokyo", zone: "ap-northeast-1a", ...spec }),
  availabilityZone: "ap-northeast-1a",
  blueprint: "amazon_linux_2023",
  bundle: "large_3_0",
  ingress: false,
  ...more,
});

const declare = (machines: readonly LightsailMachine[], more: Partial<LightsailSiteArgs> = {}): LightsailSite =>
  new LightsailSite(`tokyo-${more.awsRegion ?? "ap-northeast-1"}`, {
    region: "tokyo",
    awsRegion: "ap-northeast-1",
    machines,
    accessFrom: ["198.51.100.7/32", "2001:db8::/48"],
    tags: { team: "platform" },
    login,
    connectSeconds: 300,
    ...more,
  });

const record = (
  machines: readonly LightsailMachine[],
  more: Partial<LightsailSiteArgs> = {},
  options: RecordOptions = {},
) => recordGraph(() => void declare(machines, more), { state: fakeOutputs, ...options });
const find = (nodes: readonly GraphNode[], name: string): GraphNode => {
  const found = nodes.find((node) => node.name === name);
  if (found === undefined) throw new Error(`no resource named ${name}: ${nodes.map((node) => node.name).join(", ")}`);
  return found;
};
const ofType = (nodes: readonly GraphNode[], type: string): GraphNode[] =>
  nodes.filter((node) => node.type.endsWith(`:${type}`));
const names = (nodes: readonly GraphNode[]): string[] => nodes.map(({ name }) => name);
const rule = (port: number, cidrs: string[], ipv6Cidrs: string[]) => ({
  protocol: "tcp",
  fromPort: port,
  toPort: port,
  cidrs,
  ipv6Cidrs,
});

describe("the ports of a Lightsail instance", () => {
  const [own, own6] = [["198.51.100.7/32"], ["2001:db8::/48"]];

  it("are one complete list an instance, made anew in place of an edit, the old one first", async () => {
    const nodes = await record([machine("a", "server"), machine("b", "agent"), machine("c", "agent")]);
    const ports = ofType(nodes, "InstancePublicPorts");
    expect(names(ports)).toEqual(["a-ports", "b-ports", "c-ports"]);
    expect(ports.map(({ inputs }) => inputs["instanceName"])).toEqual(["tokyo-a", "tokyo-b", "tokyo-c"]);
    for (const { options, name } of ports) {
      expect(options).toMatchObject({ deleteBeforeReplace: true, deletedWith: name.replace("-ports", "-instance") });
    }
    expect(find(nodes, "a-ports").inputs["portInfos"]).toEqual([rule(22, own, own6), rule(6443, own, own6)]);
    expect(find(nodes, "b-ports").inputs["portInfos"]).toEqual([rule(22, own, own6)]);
  });

  it("let HTTP and HTTPS in from everywhere only where the pool takes ingress", async () => {
    const nodes = await record([machine("a", "agent", { ingress: true }), machine("b", "agent")]);
    const world = [["0.0.0.0/0"], ["::/0"]] as const;
    expect(find(nodes, "a-ports").inputs["portInfos"]).toEqual([
      rule(22, own, own6),
      ...[80, 443].map((port) => rule(port, [...world[0]], [...world[1]])),
    ]);
    expect(JSON.stringify(find(nodes, "b-ports").inputs)).not.toMatch(/0\.0\.0\.0|::\/0/);
  });

  it("are the mesh's and the settings' alone where nobody else may connect", async () => {
    const nodes = await record(
      [machine("a", "server", { spec: { publicPorts: ["25565/tcp"] } }), machine("b", "agent")],
      {
        accessFrom: [],
        mesh: playedMesh,
      },
    );
    const mesh = { ...rule(41_641, ["0.0.0.0/0"], ["::/0"]), protocol: "udp" };
    expect(find(nodes, "a-ports").inputs["portInfos"]).toEqual([mesh, rule(25_565, ["0.0.0.0/0"], ["::/0"])]);
    expect(find(nodes, "b-ports").inputs["portInfos"]).toEqual([mesh]);
  });

  it("state IPv4 and IPv6 both, for a family that is left out is filled in by the cloud", async () => {
    const four = await record([machine("a", "server")], { accessFrom: ["198.51.100.7/32"] });
    expect(find(four, "a-ports").inputs["portInfos"]).toEqual([
      rule(22, own, ["::1/128"]),
      rule(6443, own, ["::1/128"]),
    ]);
    const six = await record([machine("a", "agent")], { accessFrom: ["2001:db8::/48"] });
    expect(find(six, "a-ports").inputs["portInfos"]).toEqual([rule(22, ["127.0.0.1/32"], own6)]);
    const none = await record([machine("a", "agent")], { accessFrom: [] });
    expect(find(none, "a-ports").inputs["portInfos"]).toEqual([rule(22, ["127.0.0.1/32"], ["::1/128"])]);
  });
});

describe("a Lightsail instance", () => {
  it("has an address that outlives it where it is a server, and none where it is an agent", async () => {
    const nodes = await record([machine("a", "server"), machine("b", "agent")]);
    expect(names(ofType(nodes, "StaticIp"))).toEqual(["a-address"]);
    const { options, inputs } = find(nodes, "a-address");
    expect(inputs).toEqual({ name: "tokyo-a_address" });
    expect(options).not.toHaveProperty("deletedWith");
    expect(options).not.toHaveProperty("replacementTrigger");
    expect(find(nodes, "a-address-attachment")).toMatchObject({
      inputs: { staticIpName: "tokyo-a_address", instanceName: "tokyo-a" },
      options: { deletedWith: "a-instance", deleteBeforeReplace: true, replacementTrigger: "1 server" },
    });
  });

  it("is replaced by its generation or its role, and by no text that only counts when it is made", async () => {
    const [one] = ofType(await record([machine("a", "server", { spec: { generation: 3 } })]), "Instance");
    expect(one?.options).toMatchObject({
      ignoreChanges: ["availabilityZone", "blueprintId", "bundleId", "keyPairName", "userData"],
      replacementTrigger: "3 server",
      deleteBeforeReplace: true,
    });
    expect(one?.inputs).toMatchObject({
      name: "tokyo-a",
      bundleId: "large_3_0",
      ipAddressType: "dualstack",
      tags: { team: "platform", "hybrid-k3s-machine": "a", "hybrid-k3s-region": "tokyo" },
    });
  });

  it("takes a snapshot every day where an hour is set, and says so where none is", async () => {
    const nodes = await record([machine("a", "agent", { snapshotAt: "18:00" }), machine("b", "agent")]);
    const addOns = ofType(nodes, "Instance").map(({ inputs }) => inputs["addOn"]);
    expect(addOns).toEqual([
      { type: "AutoSnapshot", snapshotTime: "18:00", status: "Enabled" },
      { type: "AutoSnapshot", snapshotTime: "06:00", status: "Disabled" },
    ]);
  });

  it("has a disk that outlives it and an attachment that does not", async () => {
    const nodes = await record([machine("a", "agent", { diskGiB: 64 }), machine("b", "agent")]);
    expect(names(ofType(nodes, "Disk"))).toEqual(["a-disk"]);
    expect(find(nodes, "a-disk")).toMatchObject({
      inputs: { name: "tokyo-a_data", availabilityZone: "ap-northeast-1a", sizeInGb: 64 },
      options: { ignoreChanges: ["availabilityZone", "sizeInGb"] },
    });
    expect(find(nodes, "a-disk").options).not.toHaveProperty("deletedWith");
    expect(find(nodes, "a-disk-attachment")).toMatchObject({
      inputs: { diskName: "tokyo-a_data", diskPath: "/dev/xvdf", instanceName: "tokyo-a" },
      options: { deletedWith: "a-instance", deleteBeforeReplace: true, replacementTrigger: "1 agent" },
    });
    const disks = ["a-host", "b-host"].map((name) => {
      const { DATA_DISK, DATA_PATH: path } = parseCommandText(String(find(nodes, name).inputs["create"]))!.parameters;
      return [DATA_DISK, path];
    });
    expect(disks).toEqual([
      ["/dev/xvdf /dev/nvme1n1", DATA_PATH],
      ["", ""],
    ]);
  });

  it("is worked on when its ports, its address and its disk are there, and not before", async () => {
    const nodes = await record([machine("a", "server", { diskGiB: 64 }), machine("b", "agent")]);
    expect(find(nodes, "a-host").dependsOn).toEqual(
      expect.arrayContaining(["a-ports", "a-address-attachment", "a-disk-attachment"]),
    );
    expect(find(nodes, "b-host").dependsOn).toEqual(expect.arrayContaining(["b-ports"]));
    const targets = (name: string) =>
      parseCommandText(String(find(nodes, name).inputs["create"]))!.parameters["TARGETS"];
    expect(targets("a-host")).toBe("a ec2-user@address of a-address:22 ssh-ed25519 key-of-a-host-key");
    expect(targets("b-host")).toBe("b ec2-user@public address of b-instance:22 ssh-ed25519 key-of-b-host-key");
  });

  it("is waited for at its first boot, and only then", async () => {
    const { inputs } = find(await record([machine("a", "server")]), "a-host");
    const [create, update] = ["create", "update"].map((point) => parseCommandText(String(inputs[point]))!.parameters);
    expect(create?.["BOOTING"]).toBe("yes");
    expect(update).not.toHaveProperty("BOOTING");
    expect({ ...create, BOOTING: undefined }).toEqual({ ...update, BOOTING: undefined });
  });
});

describe("the names in an account", () => {
  it("are all different, for resources of all types share them", async () => {
    const machines = [
      machine("a", "server", { diskGiB: 64 }),
      machine("a-data", "agent"),
      machine("a-address", "agent"),
    ];
    const cloudNames = (await record(machines))
      .filter(({ type, inputs }) => type.startsWith("aws:") && typeof inputs["name"] === "string")
      .map(({ inputs }) => inputs["name"]);
    expect(cloudNames).toHaveLength(6);
    expect(new Set(cloudNames).size).toBe(6);
  });
});

describe("the login key of a site", () => {
  it("is another pair under another name where it changes, and nothing that is made once changes with it", async () => {
    const machines = [machine("a", "server", { diskGiB: 64 }), machine("b", "agent")];
    const before = await record(machines);
    const rotated = { privateKey: PRIVATE_KEY, publicKey: "ssh-ed25519 AAAAother", digest: "ffffffff" };
    const after = await record(machines, { login: { ...rotated, previous: PRIVATE_KEY } });
    expect(names(ofType(before, "KeyPair"))).toEqual(["tokyo-ap-northeast-1-login-0a1b2c3d"]);
    expect(names(ofType(after, "KeyPair"))).toEqual(["tokyo-ap-northeast-1-login-ffffffff"]);
    expect(find(after, "tokyo-ap-northeast-1-login-ffffffff").inputs).toMatchObject({
      name: "tokyo-ap-northeast-1-login-ffffffff",
      publicKey: "ssh-ed25519 AAAAother",
    });
    // The pair that an instance was made with is among what it ignores.
    const rest = (nodes: readonly GraphNode[]) =>
      nodes
        .filter(({ type }) => !type.endsWith(":KeyPair") && !type.startsWith("command:"))
        .map(({ dependsOn, inputs: { keyPairName, ...inputs }, ...node }) => ({
          ...node,
          inputs: { ...inputs, hasPair: keyPairName !== undefined },
          dependsOn: dependsOn.map((name) => name.replace(/-login-.*/, "-login")),
        }));
    expect(rest(after)).toEqual(rest(before));
    const keyOf = (nodes: readonly GraphNode[]) =>
      parseCommandText(String(find(nodes, "a-host").inputs["update"]))!.parameters["AUTHORIZED_KEY"];
    expect([keyOf(before), keyOf(after)]).toEqual(["ssh-ed25519 AAAAlogin", "ssh-ed25519 AAAAother"]);
  });

  it("is in clear nowhere, and neither is a host key", async () => {
    const nodes = await record([machine("a", "server", { diskGiB: 64 })], {
      login: { ...login, previous: pulumi.secret("planted-previous-key") },
    });
    expect(JSON.stringify(nodes)).not.toMatch(/planted-|OPENSSH PRIVATE KEY/);
    expect(find(nodes, "a-instance").inputs["userData"]).toBe("[secret]");
    expect(find(nodes, "a-host").inputs["stdin"]).toBe("[secret]");
  });
});

describe("sites of one stack", () => {
  it("have a provider each, also in two AWS regions", async () => {
    const nodes = await recordGraph(
      () => {
        declare([machine("a", "server", { diskGiB: 8 })]);
        declare([machine("b", "agent", { availabilityZone: "eu-west-1b" })], { awsRegion: "eu-west-1" });
      },
      { state: fakeOutputs },
    );
    expect(ofType(nodes, "aws").map(({ name, inputs }) => [name, inputs["region"]])).toEqual([
      ["tokyo-ap-northeast-1-aws", "ap-northeast-1"],
      ["tokyo-eu-west-1-aws", "eu-west-1"],
    ]);
    const inAws = nodes.filter(({ type }) => type.startsWith("aws:"));
    expect(inAws.length).toBeGreaterThan(8);
    for (const node of inAws) {
      expect(node.options["provider"], node.name).toBe(`${node.parent.split("::").at(-1)}-aws`);
    }
  });

  it("register the same resources in a preview as in an update", async () => {
    const machines = [machine("a", "server", { diskGiB: 64 }), machine("b", "agent")];
    const preview = await record(machines, {}, { preview: true });
    expect(names(preview)).toEqual(names(await record(machines)));
  });
});
