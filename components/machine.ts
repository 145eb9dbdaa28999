import type * as pulumi from "@pulumi/pulumi";

/** k3s's own words: a server runs the control plane and etcd, an agent runs pods only. */
export type Role = "server" | "agent";

/** A host that SSH connections to another host pass through. */
export interface SshHop {
  /** DNS name or address, as seen from this computer. */
  readonly host: pulumi.Input<string>;
  /** TCP port of sshd. */
  readonly port: pulumi.Input<number>;
  /** Login user. */
  readonly user: string;
  /** The one public host key that is accepted, in authorized_keys form (`ssh-ed25519 AAAA…`). */
  readonly hostKey: pulumi.Input<string>;
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
  /** Whether it comes and goes, such as a laptop that sleeps. @default false */
  readonly intermittent?: boolean;
  /** Whether it relays the mesh's traffic for machines that no direct path leads to. @default false */
  readonly relay?: boolean;
  /** Ports that the world may connect to beside those of `ingress`, such as `25565/tcp`, in order. @default none */
  readonly publicPorts?: readonly string[];
}

/** One host: what every site kind yields and what every cluster consumes. */
export interface Machine {
  readonly spec: MachineSpec;
  /** The node's `node-ip`: its private IPv4 address, or the one in the mesh where its site says so. */
  readonly address: pulumi.Output<string>;
  /** Its IPv4 address in the mesh. @default there is none */
  readonly meshAddress?: pulumi.Output<string>;
  /** Where this computer reaches the API of a server, TCP 6443: its private address, or the one that it has outside. */
  readonly apiAddress: pulumi.Output<string>;
  readonly ssh: SshTarget;
  /** Changes, as a plain value, when the machine is reached in another way or is another host. */
  readonly reach: string;
  /** What is changed in place once the node is drained, such as `3 CPUs, 8 GiB`. @default nothing is */
  readonly shape?: string;
  /** Number of the group of machines on different hardware that it stands in; the next run keeps it there. @default none */
  readonly placementGroup?: number;
  /** Changes exactly when the host is another one. What lives inside the host is replaced with it. */
  readonly id: pulumi.Output<string>;
  /** The resource that is the host: `deletedWith` of all that only exists inside it. */
  readonly resource: pulumi.Resource;
  /** What must be done on the host before anything is installed on it. */
  readonly ready: readonly pulumi.Resource[];
}
