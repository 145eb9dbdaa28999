/** Arguments of {@link flannelConf}. */
export interface FlannelConfArgs {
  /** The cluster's pod range, CIDR. */
  readonly pods: string;
  readonly backend: "vxlan" | "wireguard-native";
  /** MTU of what flannel's tunnel runs over. Bytes. See `mtusOf`. */
  readonly underlay: number;
}

/** Seconds between packets that keep a NAT in between open: k3s's own value. */
const KEEPALIVE_SECONDS = 25;

/**
 * Renders the file that k3s's `flannel-conf` names. k3s then leaves its own unwritten, so everything that it would say is
 * said here (https://github.com/k3s-io/k3s/blob/v1.36.3%2Bk3s1/pkg/agent/flannel/setup.go), and the MTU with it: without one
 * flannel takes that of the node's interface, which knows of no mesh. Flannel takes its own overhead off
 * (https://github.com/flannel-io/flannel/blob/v0.27.4/pkg/backend/vxlan/vxlan.go).
 */
export function flannelConf({ pods, backend, underlay }: FlannelConfArgs): string {
  const tunnel =
    backend === "vxlan"
      ? { Type: "vxlan", MTU: underlay }
      : { Type: "wireguard", MTU: underlay, PersistentKeepaliveInterval: KEEPALIVE_SECONDS };
  const conf = { Network: pods, EnableIPv4: true, EnableIPv6: false, IPv6Network: "::/0", Backend: tunnel };
  return `${JSON.stringify(conf, undefined, 2)}\n`;
}
