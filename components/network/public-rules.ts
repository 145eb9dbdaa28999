import type { Role } from "../machine.ts";
import { publicPortsOf, type PublicPort } from "./public-port.ts";

/** One port that is open from outside. */
export interface PublicRule {
  readonly protocol: PublicPort["protocol"];
  readonly port: number;
  /** IPv4 ranges. */
  readonly from: readonly string[];
  /** IPv6 ranges; empty: nobody. */
  readonly from6: readonly string[];
}

/** What decides which ports of a machine are open from outside. */
export interface PublicAccess {
  readonly role: Role;
  /** Whether ports 80 and 443 are open to the world. */
  readonly ingress: boolean;
  /** Ranges that may connect to SSH, and to the API of servers. */
  readonly accessFrom: readonly string[];
  /** UDP port of the mesh. @default no mesh */
  readonly meshPort?: number;
  /** Further ports that are open to the world, such as `25565/tcp`. @default none */
  readonly publicPorts?: readonly string[];
}

const EVERYWHERE = { from: ["0.0.0.0/0"], from6: ["::/0"] };

/**
 * What a machine's firewall lets in from outside its private network: SSH, and on servers the API, from the ranges that
 * may; from everywhere HTTP and HTTPS where the pool takes ingress, the mesh's UDP port, and the ports that the settings
 * name. Nothing else.
 */
export function publicRules(access: PublicAccess): readonly PublicRule[] {
  const from = access.accessFrom.filter((range) => !range.includes(":"));
  const from6 = access.accessFrom.filter((range) => range.includes(":"));
  const restricted = access.accessFrom.length === 0 ? [] : access.role === "server" ? [22, 6443] : [22];
  const open: readonly PublicPort[] = [
    ...(access.ingress ? [80, 443] : []).map((port) => ({ port, protocol: "tcp" as const })),
    ...(access.meshPort === undefined ? [] : [{ port: access.meshPort, protocol: "udp" as const }]),
    ...publicPortsOf(access.publicPorts ?? []),
  ];
  // A cloud refuses a list that names a port twice.
  const worldwide = new Map(open.map((one): [string, PublicPort] => [`${one.port}/${one.protocol}`, one]));
  return [
    ...restricted
      .filter((port) => !worldwide.has(`${port}/tcp`))
      .map((port) => ({ protocol: "tcp" as const, port, from, from6 })),
    ...[...worldwide.values()].map(({ port, protocol }) => ({ protocol, port, ...EVERYWHERE })),
  ];
}
