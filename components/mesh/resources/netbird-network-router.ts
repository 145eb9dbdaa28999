import * as pulumi from "@pulumi/pulumi";

/** Arguments of {@link NetbirdNetworkRouter}. */
export interface NetbirdNetworkRouterArgs {
  /** Another network is another router. */
  readonly networkId: pulumi.Input<string>;
  /** Id of a peer; not together with `peerGroups`. */
  readonly peer?: pulumi.Input<string>;
  /** Names of groups. */
  readonly peerGroups?: pulumi.Input<readonly pulumi.Input<string>[]>;
  /** The lowest number wins. */
  readonly metric: pulumi.Input<number>;
  /** Whether traffic leaves with the router's own address. */
  readonly masquerade: pulumi.Input<boolean>;
  readonly enabled: pulumi.Input<boolean>;
}

/** The peers that lead into a {@link NetbirdNetwork}. */
export class NetbirdNetworkRouter extends pulumi.CustomResource {
  constructor(name: string, args: NetbirdNetworkRouterArgs, options?: pulumi.CustomResourceOptions) {
    super("hybrid-k3s-mesh:index:NetbirdNetworkRouter", name, { ...args }, options);
  }
}
