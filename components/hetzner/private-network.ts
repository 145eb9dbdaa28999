import * as hcloud from "@pulumi/hcloud";
import type * as pulumi from "@pulumi/pulumi";

/** Arguments of {@link privateNetwork}. */
export interface PrivateNetworkArgs {
  /** Range of it, CIDR. */
  readonly lan: string;
  /** Such as `eu-central`. */
  readonly networkZone: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The private network of a site, with one subnet that is all of it. */
export function privateNetwork(
  name: string,
  { lan, networkZone, labels }: PrivateNetworkArgs,
  options: pulumi.CustomResourceOptions,
): hcloud.NetworkSubnet {
  const network = new hcloud.Network(`${name}-network`, { name, ipRange: lan, labels: { ...labels } }, options);
  return new hcloud.NetworkSubnet(
    `${name}-subnet`,
    // The provider gives ids as texts and takes them as numbers.
    { networkId: network.id.apply(Number), type: "cloud", networkZone, ipRange: lan },
    options,
  );
}
