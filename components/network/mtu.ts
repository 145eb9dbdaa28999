/** What a VXLAN adds to every packet over IPv4: outer IP 20, UDP 8, VXLAN 8, inner Ethernet 14. Bytes. RFC 7348, section 5. */
export const VXLAN_OVERHEAD = 50;

/**
 * What WireGuard counts for every packet, whichever family carries it: outer IPv6 40, UDP 8, WireGuard 32. Over IPv4 it is 60.
 * Flannel, Cilium and Tailscale all count 80. Bytes.
 * https://github.com/flannel-io/flannel/blob/v0.27.4/pkg/backend/wireguard/wireguard_network.go
 */
export const WIREGUARD_OVERHEAD = 80;

/**
 * MTU of a mesh's interface unless somebody sets another: Tailscale's and NetBird's alike.
 * https://github.com/tailscale/tailscale/blob/v1.102.4/net/tstun/mtu.go ·
 * https://github.com/netbirdio/netbird/blob/v0.77.1/client/iface/iface.go
 */
export const DEFAULT_MESH_MTU = 1280;

/** MTU of an Ethernet network. Some private networks have less: Hetzner's 1450 (https://docs.hetzner.com/cloud/networks/faq). */
export const DEFAULT_LAN_MTU = 1500;

/** IPv4 and TCP headers without options. */
const IPV4_TCP_HEADERS = 40;
/** Every IPv4 host takes packets of this size: RFC 791. Below it nothing is meant to work. */
const SMALLEST_MTU = 576;

/** The layers that a pod's packet goes through. */
export interface MtuLayers {
  readonly cni: "flannel" | "cilium";
  /** Counts for flannel only: Cilium's tunnel is VXLAN. @default "vxlan" */
  readonly flannelBackend?: "vxlan" | "wireguard-native";
  readonly mesh: "none" | "tailscale" | "netbird";
  /** Smallest MTU among the sites' LANs. @default 1500 */
  readonly lanMtu?: number;
  /** MTU of the mesh's interface. @default 1280 */
  readonly meshMtu?: number;
}

/** MTUs of a region. Bytes. */
export interface Mtus {
  /** Of the mesh's interface; absent without a mesh. */
  readonly meshMtu?: number;
  /** What a path outside must carry so that the mesh's own packets are not cut up; absent without a mesh. */
  readonly carrier?: number;
  /** What flannel's or Cilium's configuration is told: the smallest MTU that its tunnel runs over. */
  readonly underlay: number;
  /** The largest packet that a pod sends. */
  readonly pods: number;
  /** The largest TCP segment that a pod sends over IPv4. */
  readonly tcpMss: number;
}

function checked(name: string, mtu: number): number {
  if (Number.isInteger(mtu) && mtu >= SMALLEST_MTU && mtu <= 65_535) return mtu;
  throw new RangeError(`${name}: found ${mtu} · allowed a whole number of bytes from ${SMALLEST_MTU} to 65535`);
}

/**
 * The one place where MTUs are computed. Both pod networks are told the MTU of what lies below and take their own overhead
 * off it: flannel's `MTU` (https://github.com/flannel-io/flannel/blob/v0.27.4/pkg/backend/vxlan/device.go) and Cilium's
 * `MTU` (https://github.com/cilium/cilium/blob/v1.19.0/pkg/mtu/mtu.go).
 *
 * With a mesh its MTU counts everywhere, also inside a site and where nodes keep their LAN addresses: a pod network has one
 * MTU, and a region that gets a second site must not change that of every pod that runs.
 * @throws RangeError if an MTU is not one, or leaves pods too little
 */
export function mtusOf(layers: MtuLayers): Mtus {
  const lan = checked("lanMtu", layers.lanMtu ?? DEFAULT_LAN_MTU);
  const mesh = layers.mesh === "none" ? undefined : checked("meshMtu", layers.meshMtu ?? DEFAULT_MESH_MTU);
  const underlay = Math.min(lan, mesh ?? lan);
  const wireguard = layers.cni === "flannel" && layers.flannelBackend === "wireguard-native";
  const pods = checked("MTU of pods", underlay - (wireguard ? WIREGUARD_OVERHEAD : VXLAN_OVERHEAD));
  return {
    ...(mesh === undefined ? {} : { meshMtu: mesh, carrier: mesh + WIREGUARD_OVERHEAD }),
    underlay,
    pods,
    tcpMss: pods - IPV4_TCP_HEADERS,
  };
}
