import * as pulumi from "@pulumi/pulumi";

/** A rule of a {@link NetbirdPolicy}: https://docs.netbird.io/api/resources/policies */
export interface NetbirdPolicyRule {
  readonly name: pulumi.Input<string>;
  readonly description?: pulumi.Input<string>;
  readonly enabled: pulumi.Input<boolean>;
  readonly action: pulumi.Input<"accept" | "drop">;
  /** Whether the destinations may begin a connection, too. */
  readonly bidirectional: pulumi.Input<boolean>;
  readonly protocol: pulumi.Input<"all" | "tcp" | "udp" | "icmp" | "netbird-ssh">;
  /** Not together with `portRanges`. */
  readonly ports?: pulumi.Input<readonly pulumi.Input<string>[]>;
  readonly portRanges?: pulumi.Input<readonly { readonly start: number; readonly end: number }[]>;
  /** Names of groups. */
  readonly sources?: pulumi.Input<readonly pulumi.Input<string>[]>;
  /** Names of groups. */
  readonly destinations?: pulumi.Input<readonly pulumi.Input<string>[]>;
  readonly destinationResource?: pulumi.Input<{
    readonly id: pulumi.Input<string>;
    readonly type: pulumi.Input<string>;
  }>;
}

/** Arguments of {@link NetbirdPolicy}. */
export interface NetbirdPolicyArgs {
  readonly name: pulumi.Input<string>;
  readonly description?: pulumi.Input<string>;
  readonly enabled: pulumi.Input<boolean>;
  readonly rules: readonly NetbirdPolicyRule[];
}

/** Who may reach whom in a NetBird network; what no policy names is closed. */
export class NetbirdPolicy extends pulumi.CustomResource {
  constructor(name: string, args: NetbirdPolicyArgs, options?: pulumi.CustomResourceOptions) {
    super("hybrid-k3s-mesh:index:NetbirdPolicy", name, { ...args }, options);
  }
}
