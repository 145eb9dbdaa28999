import * as pulumi from "@pulumi/pulumi";

/** Arguments of {@link NetbirdGroup}. */
export interface NetbirdGroupArgs {
  readonly name: pulumi.Input<string>;
}

/**
 * A group of NetBird peers. Its members are not part of it: peers come by join keys that carry the group's name, and by
 * {@link Device.tags}. Policies and networks name it by its name.
 */
export class NetbirdGroup extends pulumi.CustomResource {
  constructor(name: string, args: NetbirdGroupArgs, options?: pulumi.CustomResourceOptions) {
    super("hybrid-k3s-mesh:index:NetbirdGroup", name, { ...args }, options);
  }
}
