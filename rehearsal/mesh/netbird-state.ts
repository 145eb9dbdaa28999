import { randomBytes } from "node:crypto";
import { Clock } from "./clock.ts";

/** A setup key. */
export interface NetbirdKey {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly limit: number;
  /** Milliseconds since 1970. */
  readonly expires: number;
  uses: number;
  revoked: boolean;
}

/** A peer; scenarios may set what can change. */
export interface NetbirdPeer {
  readonly id: string;
  readonly hostname: string;
  /** Label in the DNS: made of the address where the host's name was taken. */
  readonly label: string;
  readonly address: string;
  readonly created: number;
  online: boolean;
  lastSeen: number;
  approvalRequired: boolean;
  loginExpires: boolean;
}

/** A group, with its peers by id. */
export interface NetbirdGroup {
  readonly id: string;
  name: string;
  peers: Set<string>;
  resources: readonly unknown[];
}

/** What NetBird's management service knows, and what it would do, without the API around it. */
export class NetbirdState {
  readonly clock = new Clock();
  readonly keys = new Map<string, NetbirdKey>();
  readonly peers = new Map<string, NetbirdPeer>();
  readonly groups = new Map<string, NetbirdGroup>();
  /** Whether new peers wait for somebody's approval. */
  holdApprovals = false;
  /** Whether new peers have to log in again some day. */
  loginsExpire = false;
  #made = 0;

  constructor() {
    this.addGroup("All");
  }

  /** The next id: one is never used twice. */
  nextId(kind: string): string {
    return `${kind}${++this.#made}`;
  }

  /** Makes a group. */
  addGroup(name: string): NetbirdGroup {
    const group = { id: this.nextId("group"), name, peers: new Set<string>(), resources: [] };
    this.groups.set(group.id, group);
    return group;
  }

  /** Makes a setup key. */
  makeKey(given: Pick<NetbirdKey, "name" | "groups" | "limit">, seconds: number): NetbirdKey {
    const [id, key] = [this.nextId("key"), randomBytes(18).toString("hex").toUpperCase()];
    const made = { ...given, id, key, expires: this.clock.now() + seconds * 1000, uses: 0, revoked: false };
    this.keys.set(id, made);
    return made;
  }

  /**
   * What `netbird up --setup-key-file` does on a host that is in no network.
   * @returns the peer, or what the command prints when it is refused
   */
  join({ key: text, hostname }: { key: string; hostname: string }): NetbirdPeer | string {
    const key = [...this.keys.values()].find((entry) => entry.key === text);
    const isValid =
      key !== undefined && !key.revoked && key.expires > this.clock.now() && (key.limit === 0 || key.uses < key.limit);
    if (!isValid) {
      // https://github.com/netbirdio/netbird/blob/v0.77.1/management/server/peer.go
      return "Error: login failed: rpc error: code = NotFound desc = couldn't add peer: setup key is invalid";
    }
    key.uses++;
    const number = ++this.#made;
    const [third, fourth] = [number >> 8, number & 255];
    const base = hostname.toLowerCase();
    const isTaken = [...this.peers.values()].some(({ label }) => label === base);
    const peer: NetbirdPeer = {
      id: `peer${number}`,
      hostname,
      label: isTaken ? `${base}-${third}-${fourth}` : base,
      address: `100.90.${third}.${fourth}`,
      created: this.clock.now(),
      online: true,
      lastSeen: this.clock.now(),
      approvalRequired: this.holdApprovals,
      loginExpires: this.loginsExpire,
    };
    this.peers.set(peer.id, peer);
    for (const group of this.groups.values()) {
      if (group.name === "All" || key.groups.includes(group.id)) group.peers.add(peer.id);
    }
    return peer;
  }

  /** What `netbird down`, or a host that is gone, does: the peer stays, and is not connected. */
  leave(peer: NetbirdPeer): void {
    peer.online = false;
    peer.lastSeen = this.clock.now();
  }

  /** Takes a peer out, of its groups too. */
  removePeer(id: string): boolean {
    for (const group of this.groups.values()) group.peers.delete(id);
    return this.peers.delete(id);
  }
}
