import * as pulumi from "@pulumi/pulumi";

/** Arguments of {@link Device}. */
export interface DeviceArgs {
  /** Name of the machine: what its host calls itself, and what the mesh must call it. Another one is another device. */
  readonly machine: pulumi.Input<string>;
  /** Id of the machine that joins: another one is another device. */
  readonly machineId: pulumi.Input<string>;
  /** {@link JoinKey.keyId} that it joins with. Another one is looked for only where the device is gone from the mesh. */
  readonly keyId: pulumi.Input<string>;
  /** Tags, or NetBird groups by name. */
  readonly tags: pulumi.Input<readonly pulumi.Input<string>[]>;
  /** How long to wait for it, in seconds. @default 300 */
  readonly waitSeconds?: pulumi.Input<number>;
}

/**
 * A machine's place in the mesh. Create waits until it has joined under its own name, switches key expiry off, checks
 * that it is, and gives it its tags; a name with a suffix is refused. Delete takes the device out of the mesh.
 *
 * Needs `deleteBeforeReplace`: the old device must be gone before the new one joins, else that one's name gets a suffix.
 */
export class Device extends pulumi.CustomResource {
  /** The control plane's id of the device. */
  declare readonly deviceId: pulumi.Output<string>;
  /** IPv4 address in the mesh. */
  declare readonly address: pulumi.Output<string>;
  /** Name in the mesh's DNS, as far as the control plane tells it. */
  declare readonly dnsName: pulumi.Output<string>;

  constructor(name: string, args: DeviceArgs, options?: pulumi.CustomResourceOptions) {
    const outputs = { deviceId: undefined, address: undefined, dnsName: undefined };
    super("hybrid-k3s-mesh:index:Device", name, { ...args, ...outputs }, options);
  }
}
