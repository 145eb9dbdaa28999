import { byName } from "../network/names.ts";

/** A grant of a tailnet's policy. https://tailscale.com/docs/reference/syntax/grants */
export interface TailnetGrant {
  readonly src: readonly string[];
  readonly dst: readonly string[];
  /** Ports and protocols, such as `tcp:22`. @default none: the grant gives capabilities only */
  readonly ip?: readonly string[];
  /** Capabilities by name. @default none */
  readonly app?: Readonly<Record<string, readonly unknown[]>>;
}

/** What a region needs in the policy of its tailnet. */
export interface TailnetPolicyParts {
  /** Who may give a device each tag. */
  readonly tagOwners: Readonly<Record<string, readonly string[]>>;
  readonly autoApprovers: { readonly routes: Readonly<Record<string, readonly string[]>> };
  readonly grants: readonly TailnetGrant[];
}

/** What {@link tailnetPolicy} is made from. */
export interface TailnetPolicyArgs {
  /** Tag of the region's nodes, such as `tag:k3s-tokyo`. */
  readonly tag: string;
  /** Who owns the tag: may give it to a device by hand. */
  readonly owners: readonly string[];
  /** Users, groups or tags that may reach SSH and the API. */
  readonly operators: readonly string[];
  /** Ranges of the LANs whose addresses nodes carry into the tailnet. */
  readonly lans: readonly string[];
  /** Whether a node of the region carries traffic of peers that find no direct path. */
  readonly relay: boolean;
}

/** Lets a device use the peer relay of another. https://tailscale.com/docs/features/peer-relay */
const RELAY_CAPABILITY = "tailscale.com/cap/relay";

/**
 * The least that a region's nodes need of their tailnet's policy, and no more: nodes reach each other, on their addresses
 * in the tailnet and on the private ones, which are routes and need a grant of their own
 * (https://tailscale.com/docs/reference/route-injection); operators reach SSH and the API; nodes reach nothing else.
 *
 * A node's route is approved because it lies in one of its region's LANs, so no line of a policy names a machine, and
 * none is left when one goes.
 */
export function tailnetPolicy({ tag, owners, operators, lans, relay }: TailnetPolicyArgs): TailnetPolicyParts {
  const ranges = [...new Set(lans)].sort(byName);
  const nodes = [tag, ...ranges];
  return {
    tagOwners: { [tag]: [...owners].sort(byName) },
    autoApprovers: { routes: Object.fromEntries(ranges.map((range) => [range, [tag]])) },
    grants: [
      // Replies of a node whose packets keep their private source come from a range, not from the tag.
      { src: nodes, dst: nodes, ip: ["*"] },
      ...(operators.length === 0
        ? []
        : [{ src: [...operators].sort(byName), dst: nodes, ip: ["tcp:22", "tcp:6443", "icmp:*"] }]),
      ...(relay ? [{ src: [tag], dst: [tag], app: { [RELAY_CAPABILITY]: [] } }] : []),
    ],
  };
}
