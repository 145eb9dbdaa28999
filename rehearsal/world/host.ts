import { createHash } from "node:crypto";
import { publicHalf } from "../../components/bootstrap/login-key.ts";
import type { Cluster } from "./cluster.ts";
import type { MeshClient, MeshEntry } from "./mesh-networks.ts";

/** What a host has of k3s: each part may be there without the next, where a run stopped half-way. */
export interface HostK3s {
  /** Version of the binary; undefined where there is none. */
  binary?: string | undefined;
  /** Role that the systemd unit has; undefined where there is none. */
  role?: "server" | "agent" | undefined;
  /** Text of config.yaml and the files beside it. */
  configuration?: string | undefined;
  nodeName?: string | undefined;
  /** The cluster that this host belongs to, or whose data it carries. */
  cluster?: Cluster | undefined;
  /** etcd data on disk. */
  datastore: boolean;
  running: boolean;
  /** Something that k3s reads was changed, and it has not been restarted since. */
  restartPending?: boolean | undefined;
  /** Version that runs; differs from the binary's until a restart. */
  runningVersion?: string | undefined;
}

/** The firewall of a host, as texts. The rules that are active are those that wait, where some do. */
export interface HostFirewall {
  /** What a restart brings back; undefined: no firewall. */
  confirmed: string | undefined;
  /** Waits to be confirmed. */
  pending: string | undefined;
  /** Whether the change before was rolled back, and nobody has been told yet. */
  rolledBack: boolean;
}

/** A host's mesh client. */
export interface HostMesh {
  readonly client: MeshClient;
  version: string;
  /** Its entry in the mesh. */
  readonly entry: MeshEntry;
}

/** A host of the world. Everything that may change is a plain field: a scenario breaks it by setting it. */
export interface Host {
  /** Name for messages: the machine's name, or the address of a jump host. */
  readonly name: string;
  /** Where its sshd answers: `host:port`, behind `jump>` where it is reached through one. */
  endpoint: string;
  /** Private address; some clouds give it after the host is made. */
  address: string;
  /** Hosts of one network reach each other on private addresses. */
  readonly network: string;
  alive: boolean;
  /** Whether sshd runs on a host that is alive. */
  sshUp: boolean;
  /** Whether a firewall in front of it lets no SSH through. */
  firewalled: boolean;
  /** What sshd shows: type and base64, without a comment. */
  hostKey: string;
  loginRefused: boolean;
  /** Public keys that may log in, without comments; undefined: whatever comes, as on a host that people set up. */
  authorizedKeys: ReadonlySet<string> | undefined;
  /** Seconds until sshd answers after the start of the next connection; used up by waiting. */
  bootSeconds: number;
  /** Everything on this host takes this many times as long. */
  slowness: number;
  /** The Node never becomes Ready. */
  notReady: boolean;
  /** Downloads to this host have the wrong content. */
  wrongDownloads: boolean;
  /** Content of /etc/hybrid-k3s/machine. */
  claim: string | undefined;
  /** A k3s that somebody else installed. */
  foreignK3s: boolean;
  k3s: HostK3s;
  firewall: HostFirewall;
  /** @default it has no client of a mesh */
  mesh: HostMesh | undefined;
  /** What the host does by itself with a change that is not confirmed; says what it did. */
  takeBack: (() => string) | undefined;
  /** Per lock: ends when the last script that took it has ended. */
  readonly busy: Map<string, Promise<unknown>>;
}

/** A host as it comes: alive, reachable, empty. */
export function newHost(given: Pick<Host, "name" | "endpoint" | "address" | "network" | "hostKey">): Host {
  return {
    ...given,
    alive: true,
    sshUp: true,
    firewalled: false,
    loginRefused: false,
    authorizedKeys: undefined,
    bootSeconds: 0,
    slowness: 1,
    notReady: false,
    wrongDownloads: false,
    claim: undefined,
    foreignK3s: false,
    k3s: { datastore: false, running: false },
    firewall: { confirmed: undefined, pending: undefined, rolledBack: false },
    mesh: undefined,
    takeBack: undefined,
    busy: new Map(),
  };
}

/** Type and base64 of a public key, without its comment. */
export const keyWords = (key: string): string => key.trim().split(/\s+/).slice(0, 2).join(" ");

/** Whether a private key opens a host. */
export const takesKey = (host: Host, privateKey: string): boolean =>
  !host.loginRefused &&
  (host.authorizedKeys === undefined || host.authorizedKeys.has(publicHalf(privateKey).publicKey));

/** OpenSSH's fingerprint of a public key, such as `SHA256:nThbg6kX…`. */
export function fingerprint(key: string): string {
  const blob = Buffer.from(keyWords(key).split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** Removes all of k3s from a host. The cluster that it was part of is not told: its member and its Node stay. */
export function wipe(host: Host): void {
  host.k3s = { datastore: false, running: false };
}
