import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Mesh } from "../../components/mesh/mesh.ts";

const entry = (name: string, keepers: Record<string, pulumi.Input<string>>, options: pulumi.CustomResourceOptions) =>
  new random.RandomId(name, { byteLength: 4, keepers }, options);

/** A mesh that declares one resource at every point where a real one does, and whose addresses name their machine. */
export const playedMesh: Mesh = {
  interface: "mesh0",
  port: 41641,
  invite: (spec, options) => ({
    resource: entry(`${spec.name}-mesh-key`, {}, options),
    keyId: pulumi.output(`key id of ${spec.name}`),
    firstBoot: pulumi.secret({
      provider: "tailscale" as const,
      version: "1.102.4",
      packages: "https://packages.example.net",
      port: 41_641,
      hostname: spec.name,
      key: `key-of-${spec.name}`,
    }),
  }),
  member: (spec, { resource }, id, options) => ({
    address: pulumi.output(`mesh address of ${spec.name}`),
    deviceId: pulumi.output(`device of ${spec.name}`),
    resource: entry(`${spec.name}-mesh-device`, { id }, pulumi.mergeOptions(options, { dependsOn: [resource] })),
  }),
  join: ({ spec, id, after }, options) => ({
    address: pulumi.output(`mesh address of ${spec.name}`),
    deviceId: pulumi.output(`device of ${spec.name}`),
    resource: entry(`${spec.name}-mesh-device`, { id }, pulumi.mergeOptions(options, { dependsOn: [...after] })),
  }),
  converge: ({ spec }, options) => ({
    resources: [entry(`${spec.name}-mesh`, {}, options)],
    mark: "played 1",
  }),
};
