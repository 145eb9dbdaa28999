import * as pulumi from "@pulumi/pulumi";

/** Arguments of {@link NetbirdNetworkResource}. */
export interface NetbirdNetworkResourceArgs {
  /** Another network is another resource. */
  readonly networkId: pulumi.Input<string>;
  readonly name: pulumi.Input<string>;
  readonly description?: pulumi.Input<string>;
  /** An address, a range or a domain. */
  readonly address: pulumi.Input<string>;
  readonly enabled: pulumi.Input<boolean>;
  /** Names of groups, which policies name it by. */
  readonly groups: pulumi.Input<readonly pulumi.Input<string>[]>;
}

/** Something that is reached in a {@link NetbirdNetwork}. */
export class NetbirdNetworkResource extends pulumi.CustomResource {
  constructor(name: string, args: NetbirdNetworkResourceArgs, options?: pulumi.CustomResourceOptions) {
    super("hybrid-k3s-mesh:index:NetbirdNetworkResource", name, { ...args }, options);
  }
}
