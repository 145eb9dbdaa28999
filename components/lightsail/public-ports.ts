import { publicRules, type PublicAccess } from "../network/public-rules.ts";

/** One entry of a Lightsail firewall. */
export interface PortInfo {
  readonly protocol: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly cidrs: string[];
  readonly ipv6Cidrs: string[];
}

/**
 * A range that no packet from outside comes from. A list that is left out is filled in by Lightsail, IPv6 with the whole
 * internet, so both families are stated even where one of them lets nobody in.
 */
const NOBODY = "127.0.0.1/32";
const NOBODY_IPV6 = "::1/128";

/** The complete list of an instance's open ports. Lightsail opens SSH and HTTP to the world where there is no list. */
export const publicPorts = (access: PublicAccess): PortInfo[] => {
  const rules = publicRules(access).map(({ protocol, port, from, from6 }) => ({
    protocol,
    fromPort: port,
    toPort: port,
    cidrs: from.length === 0 ? [NOBODY] : [...from],
    ipv6Cidrs: from6.length === 0 ? [NOBODY_IPV6] : [...from6],
  }));
  // The API takes no empty list.
  if (rules.length > 0) return rules;
  return [{ protocol: "tcp", fromPort: 22, toPort: 22, cidrs: [NOBODY], ipv6Cidrs: [NOBODY_IPV6] }];
};
