/** Groups of everybody, or nearly: whoever may use the cluster need not be able to make machines part of it. */
const TOO_WIDE: ReadonlySet<string> = new Set([
  "autogroup:member",
  "autogroup:tagged",
  "autogroup:shared",
  "autogroup:nonroot",
]);

/** Who of the operators may give the nodes' tag to a device. https://tailscale.com/docs/reference/syntax/policy-file#tag-owners */
export const tagOwners = (operators: readonly string[]): readonly string[] =>
  operators.filter((operator) => !TOO_WIDE.has(operator));
