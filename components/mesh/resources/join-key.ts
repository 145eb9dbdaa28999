import * as pulumi from "@pulumi/pulumi";

/** Arguments of {@link JoinKey}. */
export interface JoinKeyArgs {
  /** Name of the machine, which it will have in the mesh too. Another one is another key. */
  readonly machine: pulumi.Input<string>;
  /** Name of the region: the key's description in the control plane begins with it. */
  readonly region: pulumi.Input<string>;
  /** Tags of the device, or NetBird groups by name. At least one. A change needs no other key: see `Device.tags`. */
  readonly tags: pulumi.Input<readonly pulumi.Input<string>[]>;
  /** How long a machine may take to use it, in seconds. @default 3600 */
  readonly lifetimeSeconds?: pulumi.Input<number>;
  /** The machine's life, such as its generation. Another one is another key, of the same resource. */
  readonly life: pulumi.Input<string>;
}

/**
 * A key that lets one machine join the mesh, once: pre-approved, tagged, for a device that stays.
 *
 * Create refuses when a device of that name stands in the mesh, for the new one would become `<name>-1`. A key that has
 * expired before its machine joined is minted anew by the next update, in place; one that was used is never touched
 * again. Delete revokes it.
 */
export class JoinKey extends pulumi.CustomResource {
  /** Secret: what `tailscale up --auth-key` or `netbird up --setup-key` takes. */
  declare readonly key: pulumi.Output<string>;
  /** The control plane's id of the key: changes when the key is another. */
  declare readonly keyId: pulumi.Output<string>;
  /** RFC 3339. */
  declare readonly expires: pulumi.Output<string>;

  constructor(name: string, args: JoinKeyArgs, options?: pulumi.CustomResourceOptions) {
    super(
      "hybrid-k3s-mesh:index:JoinKey",
      name,
      { ...args, key: undefined, keyId: undefined, expires: undefined },
      pulumi.mergeOptions({ additionalSecretOutputs: ["key"] }, options),
    );
  }
}
