import type * as pulumi from "@pulumi/pulumi";

/** k3s's own words: a server runs the control plane and etcd, an agent runs pods only. */
export type Role = "server" | "agent";

/** A host that SSH connections to another host pass through. */
export interface SshHop {
  /** DNS name or address, as seen from this computer. */
  readonly host: string;
  /** TCP port of sshd. */
  readonly port: number;
  /** Login user. */
  readonly user: string;
  /** The one public host key that is accepted, in authorized_keys form (`ssh-ed25519 AAAA…`). */
  readonly hostKey: string;
}

/** How this computer reaches a machine: one pinned host key, never a first-contact trust. */
export interface SshTarget extends SshHop {
  /** The host in between, where the machine is not reachable directly. */
  readonly jump?: SshHop;
}

/** A Kubernetes taint. */
export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}

/** What is known of a machine before anything exists: plain values, which decide the shape of the graph. */
export interface MachineSpec {
  /** Kubernetes node name. A name is identity: a machine that is renamed is another machine. */
  readonly name: string;
  readonly role: Role;
  /** The site whose machines reach each other on private addresses. */
  readonly site: string;
  /** The pool of the site that the machine belongs to. */
  readonly pool: string;
  /** Value of `topology.kubernetes.io/zone`. */
  readonly zone: string;
  /** Raised by one to replace the host on purpose. */
  readonly generation: number;
  /** Node labels of the user, on top of the ones that say where the node stands. */
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
}

/** One host: what every site kind yields and what every cluster consumes. */
export interface Machine {
  readonly spec: MachineSpec;
  /** Private address, the node's `node-ip`. */
  readonly address: string;
  readonly ssh: SshTarget;
  /** Changes exactly when the host is another one. What lives inside the host is replaced with it. */
  readonly id: pulumi.Output<string>;
  /** The resource that is the host: `deletedWith` of all that only exists inside it. */
  readonly resource: pulumi.Resource;
}
