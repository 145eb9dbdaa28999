import { Address4 } from "ip-address";

/**
 * Address of the cluster's DNS service: the tenth of the service range, as k3s itself chooses
 * (https://docs.k3s.io/cli/server#networking: 10.43.0.10 in 10.43.0.0/16).
 * @param services service range, CIDR
 */
export const clusterDns = (services: string): string =>
  Address4.fromBigInt(new Address4(services).startAddress().bigInt() + 10n).correctForm();
