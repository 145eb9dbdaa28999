import type { Role } from "../machine.ts";
import { publicPortsOf } from "../network/public-port.ts";
import { rangesOf, type Ranges } from "./ranges.ts";

/** Name of the one table that hybrid-k3s has in nftables. */
export const FIREWALL_TABLE = "inet hybrid_k3s";

/** Who may connect to a port: addresses and ranges of both families, or everybody. */
export type AccessFrom = readonly string[] | "anywhere";

/** What decides the rules of one host. Plain values. */
export interface HostFirewallPlan {
  readonly role: Role;
  readonly cni: "flannel" | "cilium";
  /** Counts for flannel only. @default "vxlan" */
  readonly flannelBackend?: "vxlan" | "wireguard-native";
  /** The cluster's pod range, CIDR. */
  readonly pods: string;
  /** The cluster's service range, CIDR. */
  readonly services: string;
  /** Ranges whose hosts may reach everything: the site's LAN. */
  readonly lan: readonly string[];
  /** The mesh's interface (`tailscale0`, `wt0`) and UDP port. @default no mesh */
  readonly mesh?: { readonly interface: string; readonly port: number };
  /** Whether ports 80 and 443 are open to the world. */
  readonly ingress: boolean;
  /** Further ports that are open to the world, such as `25565/tcp`. @default none */
  readonly publicPorts?: readonly string[];
  /** Ports that sshd may have on the host, and who reaches them beside mesh and LAN: from where this machine is really managed. */
  readonly ssh: { readonly ports: readonly number[]; readonly from: AccessFrom };
  /** Who reaches a server's API, 6443, beside mesh and LAN. @default as SSH, but nobody where that is "anywhere" */
  readonly apiFrom?: readonly string[];
}

/** Ahead of every destination NAT (-100), so that a NodePort is seen as the port of this host that it is. */
const BEFORE_NAT = -110;
const MANGLE = -150;

const FLANNEL_INTERFACES = { vxlan: "flannel.1", "wireguard-native": "flannel-wg" } as const;

const interfacesOf = ({ cni, flannelBackend = "vxlan" }: HostFirewallPlan): readonly string[] =>
  cni === "cilium" ? ["cilium_*", "lxc*"] : ["cni0", FLANNEL_INTERFACES[flannelBackend]];

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
const block = (head: string, lines: readonly string[]): string[] => [`${head} {`, ...indent(lines), "}"];

/** The sets of a list of ranges, one a family that has some. Ranges that overlap are merged by nftables. */
function setsOf(name: string, { ipv4, ipv6 }: Ranges): string[] {
  const set = (family: "ipv4" | "ipv6", ranges: readonly string[]): string[] =>
    ranges.length === 0
      ? []
      : block(`set ${name}_${family}`, [
          `type ${family}_addr`,
          "flags interval",
          "auto-merge",
          `elements = { ${ranges.join(", ")} }`,
        ]);
  return [...set("ipv4", ipv4), ...set("ipv6", ipv6)];
}

/** Accepts what comes from the sets of {@link setsOf}. */
const fromSets = (name: string, { ipv4, ipv6 }: Ranges, what = ""): string[] => [
  ...(ipv4.length === 0 ? [] : [`ip saddr @${name}_ipv4 ${what}accept`]),
  ...(ipv6.length === 0 ? [] : [`ip6 saddr @${name}_ipv6 ${what}accept`]),
];

/** What no host does without, whoever sends it. ICMP errors tell the size that a path carries: RFC 4890, section 4.4. */
const NETWORK_ITSELF = [
  "icmp type { destination-unreachable, time-exceeded, parameter-problem } accept",
  "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept",
  "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept",
  "icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } ip6 saddr fe80::/10 accept",
  "icmp type echo-request limit rate 10/second burst 20 packets accept",
  "icmpv6 type echo-request limit rate 10/second burst 20 packets accept",
  "meta nfproto ipv4 udp sport 67 udp dport 68 accept",
  "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept",
];

/** One port, or a set of several in the order of their numbers. */
function anyOf(ports: readonly number[]): string {
  const [first, ...others] = [...new Set(ports)].sort((a, b) => a - b);
  if (first === undefined) throw new Error("ssh.ports: found none · allowed at least one port");
  return others.length === 0 ? String(first) : `{ ${[first, ...others].join(", ")} }`;
}

/** Ports that are open to the world, in one rule a protocol. */
function openPorts(plan: HostFirewallPlan): string[] {
  const ports = publicPortsOf([
    ...(plan.ingress ? ["80/tcp", "443/tcp"] : []),
    ...(plan.mesh === undefined ? [] : [`${plan.mesh.port}/udp`]),
    ...(plan.ssh.from === "anywhere" ? plan.ssh.ports.map((port) => `${port}/tcp`) : []),
    ...(plan.publicPorts ?? []),
  ]);
  return (["tcp", "udp"] as const).flatMap((wanted) => {
    const numbers = ports.filter(({ protocol }) => protocol === wanted).map(({ port }) => port);
    return numbers.length === 0 ? [] : [`${wanted} dport { ${numbers.join(", ")} } accept`];
  });
}

/** A Linux interface's name is 15 characters at most. */
function checkedInterface(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(name)) return name;
  throw new Error(`interface: found ${JSON.stringify(name)} · allowed a name such as tailscale0 or wt0`);
}

/** Where two MTUs meet: TCP is told the smaller one in both directions, for ICMP errors are not let through everywhere. */
function clamp(mesh: HostFirewallPlan["mesh"]): string[] {
  if (mesh === undefined) return [];
  const rule = (direction: string): string =>
    `${direction} "${checkedInterface(mesh.interface)}" tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu`;
  return block("chain forward", [
    `type filter hook forward priority ${MANGLE}; policy accept;`,
    rule("iifname"),
    rule("oifname"),
  ]);
}

/**
 * The nftables text of one host, in one table of our own: other tables (k3s's, Tailscale's, NetBird's, Docker's) are neither
 * read nor changed. The same plan gives the same text.
 *
 * It decides before any destination NAT and for what is addressed to this host alone, so a port that kube-proxy or
 * ServiceLB hand on to a pod is a port of the host like any other, and what is routed to or from pods passes.
 * https://wiki.nftables.org/wiki-nftables/index.php/Netfilter_hooks
 * @throws Error if an address, a range or a port is none, or if SSH has no port
 */
export function hostFirewallRules(plan: HostFirewallPlan): string {
  const { from } = plan.ssh;
  const site = rangesOf(plan.lan);
  const cluster = rangesOf([plan.pods, plan.services]);
  const ssh = rangesOf(from === "anywhere" ? [] : from);
  const api = rangesOf(plan.role === "server" ? (plan.apiFrom ?? (from === "anywhere" ? [] : from)) : []);
  // A machine's first script has these rules in it, and clouds cut that off: ranges stand in it once.
  const same = JSON.stringify(api) === JSON.stringify(ssh);
  const inside = interfacesOf(plan).flatMap((name) =>
    fromSets("cluster", cluster).map((rule) => `iifname "${name}" ${rule}`),
  );
  const table = [
    ...["counter refused {", "}"],
    ...setsOf("site", site),
    ...setsOf("cluster", cluster),
    ...setsOf("ssh", ssh),
    ...(same ? [] : setsOf("api", api)),
    ...block("chain arriving", [
      `type filter hook prerouting priority ${BEFORE_NAT}; policy accept;`,
      "ct state { established, related } accept",
      'iifname "lo" accept',
      "fib daddr type != { local, broadcast, anycast, multicast } accept",
      ...(plan.mesh === undefined ? [] : [`iifname "${plan.mesh.interface}" accept`]),
      ...fromSets("site", site),
      ...inside,
      ...NETWORK_ITSELF,
      ...openPorts(plan),
      ...fromSets("ssh", ssh, `tcp dport ${anyOf(plan.ssh.ports)} `),
      ...fromSets(same ? "ssh" : "api", api, "tcp dport 6443 "),
      "counter name refused drop",
    ]),
    ...clamp(plan.mesh),
  ];
  return `${block(`table ${FIREWALL_TABLE}`, table).join("\n")}\n`;
}
