import type { Host } from "./host.ts";

/** A Node object of the cluster. */
export interface ClusterNode {
  readonly name: string;
  readonly role: "server" | "agent";
  readonly host: Host;
  readonly labels: Map<string, string>;
  /** `key=value:effect` */
  readonly taints: Set<string>;
  cordoned: boolean;
  /** Cordoned because its machine changes: its membership gives the work back. */
  paused?: boolean;
  /** What its machine was when its membership last saw it. */
  shape?: string;
  /** Pods that do not move keep a drain busy for its whole budget. */
  podsStuck: boolean;
  /** A member that was removed before and came back: it leaves slowly. */
  readonly rejoined: boolean;
}

/** A Helm release as the cluster stores it. */
export interface HelmRelease {
  readonly namespace: string;
  readonly name: string;
  version: string;
  revision: number;
  /** Helm's own words. A `pending-…` release refuses every further operation. */
  status: "deployed" | "failed" | "pending-install" | "pending-upgrade" | "pending-rollback";
}

/** One etcd cluster and the Kubernetes API in front of it. */
export class Cluster {
  readonly region: string;
  /** PEM of the certificate authority that its API's certificate comes from. */
  readonly ca: string;
  readonly secrets: { readonly token: string; readonly agentPassword: string };
  /** etcd members by node name. A member that is dead still counts for the quorum. */
  readonly members = new Map<string, Host>();
  readonly nodes = new Map<string, ClusterNode>();
  /** Names of nodes whose password secret is stored: a host that comes back with another password is refused. */
  readonly passwords = new Map<string, Host>();
  /** Names of members that were taken out once. */
  readonly removed = new Set<string>();
  readonly namespaces = new Set<string>(["default", "kube-system"]);
  /** Objects beside namespaces and releases, as `Kind namespace/name`. */
  readonly objects = new Set<string>();
  /** Versions of CRD sets, by release name. */
  readonly crds = new Map<string, string>();
  /** By `namespace/name`. */
  readonly releases = new Map<string, HelmRelease>();
  /** k3s was told to bring no pod network: no Node is Ready before somebody installs one. */
  bringsNoNetwork = false;
  /** Version of the Cilium that is installed. */
  cilium: string | undefined;
  /** Objects that tell Cilium which addresses Services get. */
  addressPool: string | undefined;
  /** Set by a fault: the API answers nobody, whatever etcd does. */
  apiBroken = false;

  constructor(region: string, ca: string, secrets: { readonly token: string; readonly agentPassword: string }) {
    this.region = region;
    this.ca = ca;
    this.secrets = secrets;
  }

  /** Whether a host runs k3s as a part of this cluster now. */
  runs(host: Host): boolean {
    return host.alive && host.k3s.running && host.k3s.cluster === this;
  }

  /** Names of the members that run now. */
  live(): string[] {
    return [...this.members].filter(([, host]) => this.runs(host)).map(([name]) => name);
  }

  /** Whether the API answers: more than half of the etcd members run. */
  apiUp(): boolean {
    return !this.apiBroken && this.members.size > 0 && this.live().length > this.members.size / 2;
  }

  /** Whether a Node is Ready. */
  ready(name: string): boolean {
    const node = this.nodes.get(name);
    if (node === undefined || !this.apiUp() || !this.runs(node.host) || node.host.notReady) return false;
    return !this.bringsNoNetwork || this.cilium !== undefined;
  }
}
