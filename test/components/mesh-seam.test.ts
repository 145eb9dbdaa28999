import type * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { ExistingSite } from "../../components/existing/site.ts";
import { parseCommandText } from "../../components/host/command-text.ts";
import { Cluster } from "../../components/k3s/cluster.ts";
import { LightsailSite, type LightsailSiteArgs } from "../../components/lightsail/site.ts";
import type { Machine } from "../../components/machine.ts";
import type { Mesh } from "../../components/mesh/mesh.ts";
import { fakeOutputs } from "../support/fakes.ts";
import { playedMesh } from "../support/played-mesh.ts";
import { recordGraph, type GraphNode, type RecordOptions } from "../support/record-graph.ts";
import { clusterPlan, machineSpec, PRIVATE_KEY, sshTarget } from "../support/sample.ts";

const record = (program: () => void, options: RecordOptions = {}) =>
  recordGraph(program, { state: fakeOutputs, ...options });
const find = (nodes: readonly GraphNode[], name: string): GraphNode => {
  const found = nodes.find((node) => node.name === name);
  if (found === undefined) throw new Error(`no resource named ${name}: ${nodes.map((node) => node.name).join(", ")}`);
  return found;
};
const known = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => void output.apply(resolve));
const wordsOf = (node: GraphNode): string => JSON.stringify(node.inputs);

const cloud = (more: Partial<LightsailSiteArgs> = {}): readonly Machine[] =>
  new LightsailSite("tokyo-ap-northeast-1", {
    region: "tokyo",
    awsRegion: "ap-northeast-1",
    machines: [
      {
        spec: machineSpec("tokyo-a", "server", { site: "tokyo" }),
        availabilityZone: "ap-northeast-1a",
        blueprint: "debian_12",
        bundle: "large_3_0",
        ingress: false,
      },
    ],
    accessFrom: [],
    tags: {},
    login: { privateKey: PRIVATE_KEY, publicKey: "ssh-ed25519 AAAAlogin", digest: "0a1b2c3d" },
    connectSeconds: 300,
    mesh: playedMesh,
    ...more,
  }).machines;

const rack = (more: { mesh?: Mesh; meshAddresses?: boolean } = { mesh: playedMesh }): readonly Machine[] =>
  new ExistingSite("tokyo-rack", {
    region: "tokyo",
    hosts: ["s-a", "s-b"].map((name) => ({
      spec: machineSpec(name, "server"),
      address: `10.20.0.${name.charCodeAt(2)}`,
      ssh: sshTarget(name),
      reach: name,
    })),
    privateKey: PRIVATE_KEY,
    connectSeconds: 300,
    ...more,
  }).machines;

const cluster = (mesh: Mesh | undefined): void => {
  new Cluster("tokyo", {
    plan: clusterPlan(),
    machines: rack(mesh === undefined ? {} : { mesh }),
    digests: { amd64: "", arm64: "", installer: "" },
    privateKey: PRIVATE_KEY,
    ...(mesh === undefined ? {} : { prepare: mesh.converge }),
  });
};

describe("a cloud machine in a mesh", () => {
  it("joins at its first boot, by a key that is there before it", async () => {
    const nodes = await record(() => void cloud(), { reveal: true });
    const instance = find(nodes, "tokyo-a-instance");
    expect(wordsOf(instance)).toMatch(/key-of-tokyo-a.*--hostname=.?tokyo-a/s);
    expect(find(nodes, "tokyo-a-mesh-device").dependsOn).toContain("tokyo-a-mesh-key");
  });

  it("keeps the lines of its first boot secret", async () => {
    const nodes = await record(() => void cloud());
    expect(wordsOf(find(nodes, "tokyo-a-instance"))).not.toContain("key-of-tokyo-a");
  });

  it("is reached through the mesh where nobody is let in from outside, and by its own address else", async () => {
    const reached = async (accessFrom: readonly string[]) => {
      const nodes = await record(() => void cloud({ accessFrom }));
      return parseCommandText(String(find(nodes, "tokyo-a-host").inputs["create"]))?.parameters["TARGETS"];
    };
    expect(await reached([])).toContain("@mesh address of tokyo-a:22");
    expect(await reached(["198.51.100.7/32"])).toContain("@address of tokyo-a-address:22");
  });

  it("counts as reached in another way than without the mesh", async () => {
    const reaches: string[] = [];
    await record(() => reaches.push(...cloud().map(({ reach }) => reach)));
    await record(() => reaches.push(...cloud({ accessFrom: ["198.51.100.7/32"] }).map(({ reach }) => reach)));
    expect(reaches).toEqual(["generation 1, mesh", "generation 1"]);
  });
});

describe("a host that stands already, in a mesh", () => {
  it("joins once it is claimed, before anything is installed on it", async () => {
    const nodes = await record(() => cluster(playedMesh));
    expect(find(nodes, "s-a-mesh-device").dependsOn).toContain("s-a-host");
    expect(find(nodes, "s-a-k3s").dependsOn).toContain("s-a-mesh-device");
  });

  it("keeps its private address as the node's, unless the site says the mesh's", async () => {
    const addresses: string[] = [];
    const note = (machines: readonly Machine[]): void => {
      void known(machines[0]!.address).then((address) => addresses.push(address));
    };
    await record(() => {
      note(rack());
    });
    await record(() => {
      note(rack({ mesh: playedMesh, meshAddresses: true }));
    });
    expect(addresses).toEqual(["10.20.0.97", "mesh address of s-a"]);
  });
});

describe("a node's turn", () => {
  it("brings the mesh to the host after the node before it, and k3s after that", async () => {
    const nodes = await record(() => cluster(playedMesh));
    expect(find(nodes, "s-b-mesh").dependsOn).toContain("s-a-member");
    expect(find(nodes, "s-b-k3s").dependsOn).toContain("s-b-mesh");
  });

  it("waits for the node again when what it brings is another", async () => {
    const installation = async (mesh: Mesh | undefined) => {
      const nodes = await record(() => cluster(mesh));
      return parseCommandText(String(find(nodes, "s-a-member").inputs["update"]))?.parameters["INSTALLATION"];
    };
    const later: Mesh = {
      ...playedMesh,
      converge: (machine, options) => ({ ...playedMesh.converge(machine, options), mark: "played 2" }),
    };
    const marks = [await installation(undefined), await installation(playedMesh), await installation(later)];
    expect(new Set(marks).size).toBe(3);
    expect(await installation(playedMesh)).toBe(marks[1]);
  });

  it("answers for the API on its address in the mesh too", async () => {
    const nodes = await record(() => cluster(playedMesh));
    const config = parseCommandText(String(find(nodes, "s-a-k3s").inputs["update"]))?.parameters["CONFIG"];
    expect(config).toContain("tls-san:\n  - mesh address of s-a\n");
  });
});
