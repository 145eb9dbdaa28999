import type { Role } from "../machine.ts";

/** One port that is open from outside. */
export interface PublicRule {
  readonly protocol: "tcp";
  readonly port: number;
  /** IPv4 ranges. */
  readonly from: readonly string[];
  /** IPv6 ranges; empty: nobody. */
  readonly from6: readonly string[];
}

const EVERYWHERE = { from: ["0.0.0.0/0"], from6: ["::/0"] };

/**
 * What a machine's firewall lets in from outside its private network: SSH, and on servers the API, from the ranges that
 * may; HTTP and HTTPS from everywhere where the pool takes ingress. Nothing else.
 */
export function publicRules(role: Role, ingress: boolean, accessFrom: readonly string[]): readonly PublicRule[] {
  const from = accessFrom.filter((range) => !range.includes(":"));
  const from6 = accessFrom.filter((range) => range.includes(":"));
  const restricted = accessFrom.length === 0 ? [] : role === "server" ? [22, 6443] : [22];
  return [
    ...restricted.map((port) => ({ protocol: "tcp" as const, port, from, from6 })),
    ...(ingress ? [80, 443] : []).map((port) => ({ protocol: "tcp" as const, port, ...EVERYWHERE })),
  ];
}
