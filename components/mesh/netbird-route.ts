import * as pulumi from "@pulumi/pulumi";
import { NetbirdNetworkResource } from "./resources/netbird-network-resource.ts";
import { NetbirdNetworkRouter } from "./resources/netbird-network-router.ts";
import { NetbirdNetwork } from "./resources/netbird-network.ts";

/** Name of the group of the private addresses behind the peers of a region's group. */
export const lanGroup = (group: string): string => `${group}-lan`;

/** What leads to one machine's private address. */
interface NetbirdRouteArgs {
  readonly region: string;
  /** Group of the region's peers. */
  readonly group: string;
  /** The machine's private address. */
  readonly address: pulumi.Output<string>;
  /** Id of its peer. */
  readonly peer: pulumi.Output<string>;
}

/**
 * Carries one machine's private address into the mesh: a network of its own, for every router of a network leads to all
 * that is in it. Packets keep their source: nodes must see each other's addresses.
 */
export function netbirdRoute(
  machine: string,
  { region, group, address, peer }: NetbirdRouteArgs,
  options: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
  const name = `${machine}-mesh-network`;
  const network = new NetbirdNetwork(
    name,
    { name: `hybrid-k3s ${region} ${machine}`, description: "written by hybrid-k3s" },
    options,
  );
  const resource = new NetbirdNetworkResource(
    `${name}-address`,
    {
      networkId: network.id,
      name: machine,
      address: pulumi.interpolate`${address}/32`,
      enabled: true,
      groups: [lanGroup(group)],
    },
    options,
  );
  const router = new NetbirdNetworkRouter(
    `${name}-router`,
    { networkId: network.id, peer, metric: 9999, masquerade: false, enabled: true },
    // A peer does not go while a router names it.
    pulumi.mergeOptions(options, { replaceOnChanges: ["peer"], deleteBeforeReplace: true }),
  );
  return [network, resource, router];
}
