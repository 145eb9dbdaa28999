import * as pulumi from "@pulumi/pulumi";

/** Arguments of {@link NetbirdDnsZone}. */
export interface NetbirdDnsZoneArgs {
  readonly name: pulumi.Input<string>;
  readonly domain: pulumi.Input<string>;
  readonly enabled?: pulumi.Input<boolean>;
  readonly enableSearchDomain: pulumi.Input<boolean>;
  /** Names of groups whose peers resolve it. */
  readonly distributionGroups: pulumi.Input<readonly pulumi.Input<string>[]>;
}

/** A DNS zone that NetBird peers resolve. */
export class NetbirdDnsZone extends pulumi.CustomResource {
  constructor(name: string, args: NetbirdDnsZoneArgs, options?: pulumi.CustomResourceOptions) {
    super("hybrid-k3s-mesh:index:NetbirdDnsZone", name, { ...args }, options);
  }
}
