import * as pulumi from "@pulumi/pulumi";

/** What a region needs in a policy file: https://tailscale.com/docs/reference/syntax/policy-file */
export interface TailnetPolicyParts {
  /** Who may give a tag, by tag. */
  readonly tagOwners?: Readonly<Record<string, readonly string[]>>;
  readonly autoApprovers?: {
    /** Whose advertised routes are approved, by range. */
    readonly routes?: Readonly<Record<string, readonly string[]>>;
    readonly exitNode?: readonly string[];
  };
  readonly grants?: readonly TailnetGrant[];
  readonly nodeAttrs?: readonly { readonly target: readonly string[]; readonly attr: readonly string[] }[];
}

/** Who may reach what: https://tailscale.com/docs/reference/syntax/grants */
export interface TailnetGrant {
  readonly src: readonly string[];
  readonly dst: readonly string[];
  /** Such as `*`, `tcp:22`. */
  readonly ip?: readonly string[];
  readonly app?: Readonly<Record<string, readonly unknown[]>>;
}

/** Arguments of {@link TailnetPolicy}. */
export interface TailnetPolicyArgs {
  /**
   * `managed` writes the whole file, and puts the one that stood before back on delete; `merge` adds our lines to the
   * file that stands, leaves its comments and order alone, and takes just these lines out on delete; `external` writes
   * nothing, and fails with a list of what is missing.
   * @default "merge"
   */
  readonly mode?: "managed" | "merge" | "external";
  readonly parts: pulumi.Input<TailnetPolicyParts>;
  /** Name of the region: marks our lines in the file. Another one is another resource. */
  readonly owner: pulumi.Input<string>;
}

/**
 * What a region needs in the policy file of its tailnet. Every preview with a credential looks whether it is still there;
 * a write never loses what somebody else wrote meanwhile (Tailscale; headscale has no means for it).
 *
 * Tags must be known before a key can carry them: join keys depend on this resource.
 */
export class TailnetPolicy extends pulumi.CustomResource {
  constructor(name: string, args: TailnetPolicyArgs, options?: pulumi.CustomResourceOptions) {
    super("hybrid-k3s-mesh:index:TailnetPolicy", name, { ...args, added: undefined, before: undefined }, options);
  }
}
