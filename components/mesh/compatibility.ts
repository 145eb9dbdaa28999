import type { CniVariant } from "../k3s/cni-variant.ts";
import { mtusOf, type Mtus } from "../network/mtu.ts";
import { MESH_INTERFACES } from "./interfaces.ts";
import type { MeshSettings } from "./mesh-settings.ts";

/** What decides how a pod network and a mesh get along. */
export interface Pair {
  readonly cni: CniVariant;
  readonly mesh: MeshSettings["provider"];
  /** UDP port of the mesh's client. @default its own default */
  readonly meshPort?: number;
  /** @default one that is new enough */
  readonly ciliumVersion?: string;
  /** Smallest MTU among the sites' LANs. Bytes. @default 1500 */
  readonly lanMtu?: number;
  /** Whether the mesh's address is the `node-ip` of some node. @default false */
  readonly meshAddresses?: boolean;
}

/** The exact settings that a pair runs with. */
export interface PairSettings {
  readonly mtus: Mtus;
  /** The mesh's interface on every machine. @default no mesh */
  readonly meshInterface?: "tailscale0" | "wt0";
  /** Whether a rule must keep traffic between neighbours of a site off the tunnel, where no other site shares its LAN. */
  readonly siteRule: boolean;
  /** UDP ports that nodes send each other pods' packets on. */
  readonly cniPorts: readonly number[];
  /** Prefixes of interfaces whose addresses NetBird's client must not offer to its peers (`--extra-iface-blacklist`). */
  readonly blacklist: readonly string[];
  /** Interfaces that the mesh's own packets must not leave by, where the client has no setting for it. */
  readonly closedToMesh: readonly string[];
  /** Cilium's `devices`: `!` excludes one from those that it finds. @default the pod network is flannel */
  readonly devices?: readonly string[];
}

/** How a pair gets along: `proved` here, `ask` where it was never run, `refuse` where it is known to fail. */
export interface Compatibility {
  readonly verdict: "proved" | "ask" | "refuse";
  readonly settings: PairSettings;
  /** Why, on one line. */
  readonly reason: string;
  /** Where that can be read. */
  readonly link: string;
  /** What to do about a refusal. */
  readonly fix?: string;
}

const INTERFACES = { none: undefined, ...MESH_INTERFACES } as const;
const DEFAULT_PORTS = { none: undefined, tailscale: 41641, netbird: 51820 } as const;
/** https://docs.k3s.io/installation/requirements#inbound-rules-for-k3s-nodes, https://docs.cilium.io/en/stable/operations/system_requirements/ */
const CNI_PORTS: Readonly<Record<CniVariant, readonly number[]>> = {
  "flannel-vxlan": [8472],
  "flannel-wireguard": [51820, 51821],
  cilium: [8472],
  "cilium-beside-kube-proxy": [8472],
};
/** Interfaces of pods and pod networks: an address of one is reached through the very mesh that would use it. */
const POD_INTERFACES = ["cilium_", "cni0", "flannel", "lxc", "veth"];

/** https://github.com/cilium/cilium/pull/40152: `devices` can exclude, as of this minor version for certain. */
const FIRST_WITH_EXCLUSION = [1, 19] as const;

const FLANNEL_OPTIONS = "https://docs.k3s.io/networking/basic-network-options#flannel-options";

const isCilium = (cni: CniVariant): boolean => cni.startsWith("cilium");

function settingsOf({ cni, mesh, lanMtu }: Pair): PairSettings {
  const device = INTERFACES[mesh];
  const cilium = isCilium(cni);
  return {
    mtus: mtusOf({
      cni: cilium ? "cilium" : "flannel",
      flannelBackend: cni === "flannel-wireguard" ? "wireguard-native" : "vxlan",
      mesh,
      ...(lanMtu === undefined ? {} : { lanMtu }),
    }),
    ...(device === undefined ? {} : { meshInterface: device }),
    // NetBird's own rules look at the main table first.
    siteRule: mesh === "tailscale",
    cniPorts: CNI_PORTS[cni],
    blacklist: mesh === "netbird" ? POD_INTERFACES : [],
    closedToMesh: mesh === "tailscale" && cilium ? ["cilium_host"] : [],
    ...(cilium ? { devices: device === undefined ? [] : [`!${device}`] } : {}),
  };
}

type Answer = Omit<Compatibility, "settings">;

/** What no setting of ours can put right. */
function refusal({
  cni,
  mesh,
  meshPort = DEFAULT_PORTS[mesh],
  ciliumVersion,
  meshAddresses,
}: Pair): Answer | undefined {
  if (mesh === "none") return undefined;
  if (meshPort !== undefined && CNI_PORTS[cni].includes(meshPort)) {
    return {
      verdict: "refuse",
      reason: `the mesh's client and the pod network would both listen on UDP ${meshPort}`,
      link: "https://docs.k3s.io/installation/requirements#networking",
      fix: `set mesh.port to another port, such as ${mesh === "netbird" ? 51830 : DEFAULT_PORTS[mesh]}`,
    };
  }
  if (isCilium(cni) && ciliumVersion !== undefined && isBefore(ciliumVersion, FIRST_WITH_EXCLUSION)) {
    return {
      verdict: "refuse",
      reason: `Cilium ${ciliumVersion} may not know how to leave the mesh's interface alone: MTU and routes would follow it`,
      link: "https://github.com/cilium/cilium/pull/40152",
      fix: `set kubernetes.cilium.version to ${FIRST_WITH_EXCLUSION.join(".")}.0 or newer`,
    };
  }
  if (cni === "cilium" && mesh === "tailscale" && meshAddresses === true) {
    return {
      verdict: "refuse",
      reason:
        "pods lose connections to their own node where its address is Tailscale's and Cilium stands in for kube-proxy",
      link: "https://github.com/cilium/cilium/issues/46680",
      fix: "set nodeAddresses: lan and renumber the LAN, or kubernetes.cilium.kubeProxyReplacement: false",
    };
  }
  return undefined;
}

function isBefore(version: string, [major, minor]: readonly [number, number]): boolean {
  const [one = 0, two = 0] = version.split(".").map(Number);
  return one < major || (one === major && two < minor);
}

const ask = (reason: string, link: string): Answer => ({ verdict: "ask", reason, link });

/** By pod network and mesh: what is known of the pair. */
const KNOWN: Readonly<Record<CniVariant, Readonly<Record<MeshSettings["provider"], Answer>>>> = {
  "flannel-vxlan": {
    none: {
      verdict: "proved",
      reason: "runs with real k3s on two networks with a router between them",
      link: "docs/testing-hosts.md",
    },
    tailscale: {
      verdict: "proved",
      reason: "runs with real k3s on two sites with nothing but UDP between them: pods, logs, exec, MTU to the byte",
      link: "docs/mesh.md",
    },
    netbird: ask(
      "never run here; the client's restarts broke flannel where its interface was the mesh's, which ours is not",
      "https://github.com/netbirdio/netbird/issues/2926",
    ),
  },
  "flannel-wireguard": {
    none: ask("never run here: the test hosts' kernel has no WireGuard. k3s supports it", FLANNEL_OPTIONS),
    tailscale: ask(
      "never run here: the test hosts' kernel has no WireGuard. Encrypts twice between sites",
      FLANNEL_OPTIONS,
    ),
    netbird: ask(
      "never run here: the test hosts' kernel has no WireGuard. Encrypts twice between sites",
      FLANNEL_OPTIONS,
    ),
  },
  cilium: {
    none: ask("never run here", "https://docs.cilium.io/en/stable/installation/k3s/"),
    tailscale: ask(
      "never run here; Tailscale takes cilium_host for a way to its peers unless its packets are kept off it",
      "https://github.com/tailscale/tailscale/issues/1552",
    ),
    netbird: ask(
      "never run here; NetBird sets src_valid_mark, which broke Cilium's gateways, and that is open",
      "https://github.com/netbirdio/netbird/issues/4575",
    ),
  },
  "cilium-beside-kube-proxy": {
    none: ask("never run here", "https://docs.cilium.io/en/stable/installation/k3s/"),
    tailscale: ask(
      "never run here; Tailscale takes cilium_host for a way to its peers unless its packets are kept off it",
      "https://github.com/tailscale/tailscale/issues/1552",
    ),
    netbird: ask(
      "never run here; NetBird took cilium_host for a way to its peers, which the blacklist rules out",
      "https://github.com/netbirdio/netbird/issues/7353",
    ),
  },
};

/** An interface of the mesh comes and goes with its client, and a node whose address is on it goes with it. */
const MESH_ADDRESSES = ask(
  "never run here with nodeAddresses: mesh; flannel's interface is the mesh's then, and ends with its client in older k3s",
  "https://github.com/k3s-io/k3s/issues/12436",
);

/** How a pod network and a mesh get along, and the exact settings that they do it with. */
export function compatibility(pair: Pair): Compatibility {
  const settings = settingsOf(pair);
  const refused = refusal(pair);
  if (refused !== undefined) return { ...refused, settings };
  const known = KNOWN[pair.cni][pair.mesh];
  const unproved = pair.mesh !== "none" && pair.meshAddresses === true && known.verdict === "proved";
  return { ...(unproved ? MESH_ADDRESSES : known), settings };
}
