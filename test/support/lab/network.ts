import { networkInterfaces } from "node:os";
import { BlockList, isIPv4 } from "node:net";

/** A site of a lab: one LAN, one bridge, in a network namespace of its own. */
export interface LabSite {
  /** IPv4 range with a 24-bit prefix, such as `10.213.1.0/24`: .1 is its gateway, .254 this machine. */
  readonly lan: string;
  /** Whether it is a place of the internet that every site reaches by every protocol. @default false */
  readonly open?: boolean;
}

/** A host of a lab before it runs. */
export interface LabHostPlan {
  /** Host name, and its Kubernetes node name where a test says nothing else. */
  readonly name: string;
  readonly site: string;
  /** IPv4 address inside the site's LAN. */
  readonly address: string;
}

/**
 * What passes between the sites: everything, nothing but UDP (what a NAT lets through for a mesh) and ping, nothing
 * (`relayed`: places of the internet are still reached), or nothing at all.
 */
export type Internet = "open" | "udp" | "relayed" | "cut";

/** The shape of a lab. */
export interface NetworkPlan {
  /** Start of every name that the lab gives to a namespace or an interface of this machine. */
  readonly prefix: string;
  readonly sites: Readonly<Record<string, LabSite>>;
  readonly hosts: readonly LabHostPlan[];
}

const LAN = /^(?<net>(?:\d{1,3}\.){3})0\/24$/;

/** Address number `last` of a /24. */
function addressIn(lan: string, last: number): string {
  const net = LAN.exec(lan)?.groups?.["net"];
  if (net === undefined) throw new Error(`lan: found ${lan} · allowed an IPv4 /24 such as 10.213.1.0/24`);
  return `${net}${last}`;
}

/** Network namespace of a site's bridge. */
export const siteNamespace = (prefix: string, site: string): string => `${prefix}-site-${site}`;

/** Network namespace of a host. */
export const hostNamespace = (prefix: string, host: string): string => `${prefix}-host-${host}`;

/** Network namespace that routes between sites. */
export const internetNamespace = (prefix: string): string => `${prefix}-internet`;

/**
 * Checks that a lab can be laid out on this machine.
 * @throws Error naming the site or host, if a range is this machine's already, or an address is outside its LAN or given twice
 */
export function checkNetwork(plan: NetworkPlan): void {
  const taken = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  for (const [name, { lan }] of Object.entries(plan.sites)) {
    const range = new BlockList();
    range.addSubnet(addressIn(lan, 0), 24);
    const clash = taken.find(({ address }) => isIPv4(address) && range.check(address));
    if (clash) throw new Error(`site ${name}: ${lan} is in use on this machine (${clash.address}); another lab runs?`);
  }
  const seen = new Set<string>();
  for (const { name, site, address } of plan.hosts) {
    const lan = plan.sites[site]?.lan;
    if (lan === undefined) throw new Error(`host ${name}: there is no site ${site}`);
    const range = new BlockList();
    range.addRange(addressIn(lan, 2), addressIn(lan, 253));
    if (!range.check(address)) throw new Error(`host ${name}: ${address} is outside ${lan} (.2 to .253)`);
    for (const unique of [name, address]) {
      if (seen.has(unique)) throw new Error(`host ${name}: ${unique} is given twice`);
      seen.add(unique);
    }
  }
}

/** A bridge with its gateway address, this machine's own leg into it, and the way to the other sites. */
function siteProgram(prefix: string, name: string, { lan }: LabSite, index: number): string {
  const site = siteNamespace(prefix, name);
  const internet = internetNamespace(prefix);
  return `ip netns add ${site}
ip netns exec ${site} sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
ip -n ${site} link set lo up
ip -n ${site} link add br0 type bridge
ip -n ${site} address add ${addressIn(lan, 1)}/24 dev br0
ip -n ${site} link set br0 up
ip link add ${prefix}-${index} type veth peer name station netns ${site}
ip -n ${site} link set station master br0 up
ip address add ${addressIn(lan, 254)}/24 dev ${prefix}-${index}
ip link set ${prefix}-${index} up
ip link add site${index} netns ${internet} type veth peer name uplink netns ${site}
ip -n ${internet} address add 198.18.${index}.1/30 dev site${index}
ip -n ${internet} link set site${index} up
ip -n ${site} address add 198.18.${index}.2/30 dev uplink
ip -n ${site} link set uplink up
ip -n ${site} route add default via 198.18.${index}.1
ip -n ${internet} route add ${lan} via 198.18.${index}.2
`;
}

/** A host's namespace with one interface, eth0, on its site's bridge. */
function hostProgram(plan: NetworkPlan, { name, site, address }: LabHostPlan, index: number): string {
  const host = hostNamespace(plan.prefix, name);
  const bridge = siteNamespace(plan.prefix, site);
  return `ip netns add ${host}
ip link add eth0 netns ${host} type veth peer name host${index} netns ${bridge}
ip -n ${bridge} link set host${index} master br0 up
ip -n ${host} link set lo up
ip -n ${host} address add ${address}/24 dev eth0
ip -n ${host} link set eth0 up
ip -n ${host} route add default via ${addressIn(plan.sites[site]!.lan, 1)}
`;
}

/** The bash program that lays the network out. No address but this machine's own leg (.254) is outside a namespace. */
export function networkProgram(plan: NetworkPlan): string {
  const internet = internetNamespace(plan.prefix);
  return [
    `ip netns add ${internet}\nip netns exec ${internet} sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'\n`,
    ...Object.entries(plan.sites).map(([name, site], index) => siteProgram(plan.prefix, name, site, index)),
    ...plan.hosts.map((host, index) => hostProgram(plan, host, index)),
    internetProgram(plan, "open"),
  ].join("");
}

/** The bash program that sets what passes between sites from now on, connections that stand included. */
export function internetProgram({ prefix, sites }: NetworkPlan, internet: Internet): string {
  const places = Object.values(sites).flatMap(({ open }, index) => (open === true ? [`"site${index}"`] : []));
  const toPlaces = places.map((place) => `iifname ${place} accept\n    oifname ${place} accept\n    `).join("");
  const rules: Readonly<Record<Internet, string>> = {
    open: "accept",
    udp: `${toPlaces}meta l4proto { udp, icmp } accept`,
    relayed: `${toPlaces}drop`,
    cut: "drop",
  };
  return `ip netns exec ${internetNamespace(prefix)} nft -f - <<'END'
table ip lab
delete table ip lab
table ip lab {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ${rules[internet]}
  }
}
END
`;
}
