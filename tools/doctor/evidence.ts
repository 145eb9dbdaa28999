import type { Role } from "../../components/machine.ts";
import type { Mtus } from "../../components/network/mtu.ts";
import type { NodeAddresses } from "../../stacks/sites/node-addresses.ts";
import type { MeshDevice } from "../../provider/control/control.ts";

/** A node as the last update left it. */
export interface ExpectedNode {
  readonly name: string;
  readonly role: Role;
  readonly site: string;
  /** The node's `node-ip`. */
  readonly address: string;
}

/** A site as the settings describe it. */
export interface ExpectedSite {
  readonly lan: string;
  readonly nodeAddresses: NodeAddresses;
}

/** The mesh that a region runs in. */
export interface ExpectedMesh {
  readonly provider: "tailscale" | "netbird";
  readonly interface: "tailscale0" | "wt0";
  /** What marks devices as the region's: a tag of Tailscale, a group of NetBird. Absent where the settings do not tell. */
  readonly tag?: string;
  /** Whether a rule must keep neighbours' packets on the LAN, where no other site shares it. */
  readonly siteRule: boolean;
}

/** What must be found on a region's hosts. */
export interface Expectations {
  readonly region: string;
  readonly nodes: readonly ExpectedNode[];
  /** By name. A node's site is absent where the settings no longer have it. */
  readonly sites: Readonly<Record<string, ExpectedSite>>;
  /** @default none */
  readonly mesh?: ExpectedMesh;
  readonly mtus: Mtus;
  /** Interface of the pod network's tunnel. @default it is none that has the pods' MTU */
  readonly tunnel?: "flannel.1" | "flannel-wg";
  /** Where the settings and what runs are no longer the same, in words. */
  readonly differences: readonly string[];
}

/** A peer as a host's client of the mesh knows it. */
export interface MeshPeer {
  /** One label: the mesh's own name for it. */
  readonly name: string;
  readonly address: string;
}

/** A host's client of the mesh. */
export interface MeshClient {
  /** What the client calls its own state, such as Running or NeedsLogin. Empty: it says nothing. */
  readonly state: string;
  readonly name: string;
  /** IPv4. Empty: none. */
  readonly address: string;
  /** When it must log in again. Absent: never, or the client does not tell. */
  readonly expires?: Date;
  /** Ranges that the control plane has approved for this host. */
  readonly approved: readonly string[];
  readonly peers: readonly MeshPeer[];
}

/** A rule of the routing policy. */
export interface RoutingRule {
  readonly priority: number;
  /** CIDR; absent: any destination. */
  readonly to?: string;
  /** `lookup main`, `unreachable`. */
  readonly action: string;
}

/** A clock beside this computer's. */
export interface ClockFacts {
  /** Positive: the host's is ahead. Seconds. */
  readonly offset: number;
  /** How far the measurement may be off: half of the round trip. Seconds. */
  readonly uncertainty: number;
  /** Whether a time service keeps it; undefined where the host does not tell. */
  readonly synchronised?: boolean;
}

/** What one look at a host found. */
export interface HostFacts {
  /** @default it was not measured */
  readonly clock?: ClockFacts;
  /** Systemd's word for each unit that was asked about: active, inactive, failed, not-found. */
  readonly units: Readonly<Record<string, string>>;
  /** MTU by interface, for those that are there. Bytes. */
  readonly mtus: Readonly<Record<string, number>>;
  readonly rules: readonly RoutingRule[];
  /** Destinations of the mesh's own routing table that lead into the mesh, CIDR. */
  readonly meshRoutes: readonly string[];
  /** @default no mesh, or no client on the host */
  readonly client?: MeshClient;
  /** Programs that the host lacks, of those that the probe needs. */
  readonly missing: readonly string[];
}

/** How the mesh's packets get to a peer. `idle`: nothing was sent to it lately, so nobody knows. */
export interface MeshPath {
  readonly kind: "direct" | "peer relay" | "relayed" | "idle" | "none" | "unknown peer";
  /** Address of the peer, or name of the relay. */
  readonly through?: string;
}

/** Whether a packet of the computed size passed whole. */
export interface LargePacket {
  /** Size with all headers. Bytes. */
  readonly bytes: number;
  readonly passes: boolean;
  /** What a host on the way said would pass. Bytes. @default nobody said */
  readonly limit?: number;
}

/** The way from one node to another. */
export interface Way {
  readonly to: string;
  /** What it is meant to go over. `routed`: between sites without a mesh. */
  readonly over: "lan" | "mesh" | "routed";
  /** Interface by which the host sends there. Empty: no route. */
  readonly device: string;
  /** @default no mesh */
  readonly path?: MeshPath;
  /** Best of a few pings, ms; `none`: no answer. @default not pinged: another node stands for the site */
  readonly latency?: number | "none";
  /** @default not tried */
  readonly large?: LargePacket;
}

/** How a host is dialled. */
export interface Endpoint {
  readonly user: string;
  readonly host: string;
  readonly port: number;
  /** Two words, as in known_hosts: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

/** A node and how this computer reaches it. */
export interface Target extends Endpoint {
  readonly name: string;
  /** The host in between. @default none */
  readonly jump?: Endpoint;
}

/** How the attempt to look at a host ended. */
export type Reached =
  | { readonly phase: "ok" }
  /** Nothing answered, or not in time. */
  | { readonly phase: "tcp"; readonly word: string }
  /** Somebody answered who is not the pinned host; `at` says which of the two hosts. */
  | { readonly phase: "host key"; readonly at: Endpoint; readonly found: string }
  | { readonly phase: "login"; readonly word: string }
  /** Logged in, but the probe did not end well. */
  | { readonly phase: "probe"; readonly word: string };

/** A node and all that was found of it. */
export interface NodeView {
  readonly node: ExpectedNode;
  /** @default the stack's state has no host of it */
  readonly target?: Target;
  /** @default it was not dialled */
  readonly reached?: Reached;
  /** @default it was not reached */
  readonly facts?: HostFacts;
  /** To other nodes; empty where it was not reached. */
  readonly ways: readonly Way[];
}

/** What the mesh's control plane lists, or why nobody looked. */
export type Devices = { readonly list: readonly MeshDevice[] } | { readonly notLookedAt: string };

/** All that was found, for the judgements. */
export interface Evidence {
  readonly expectations: Expectations;
  readonly nodes: readonly NodeView[];
  /** @default no mesh */
  readonly devices?: Devices;
  readonly now: Date;
}
