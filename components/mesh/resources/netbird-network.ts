import * as pulumi from "@pulumi/pulumi";

/** Arguments of {@link NetbirdNetwork}. */
export interface NetbirdNetworkArgs {
  readonly name: pulumi.Input<string>;
  readonly description?: pulumi.Input<string>;
}

/** A network behind NetBird peers: its resources are what is reached, its routers are the way. */
export class NetbirdNetwork extends pulumi.CustomResource {
  constructor(name: string, args: NetbirdNetworkArgs, options?: pulumi.CustomResourceOptions) {
    super("hybrid-k3s-mesh:index:NetbirdNetwork", name, { ...args }, options);
  }
}
