/**
 * How long things take in the simulated world, in seconds. Measured with k3s v1.36.3, three servers and two agents on
 * one machine of two cores: firstServer, serverJoin, agentJoin, restart, uninstall, etcdRemoval and its rejoined case.
 * The others are estimates. Not counted: downloads, booting a machine, pulling images.
 */
export const DURATIONS = {
  /** A connection with its handshake. */
  ssh: 0.3,
  /** Claiming, verifying or cleaning a host without k3s. */
  host: 0.5,
  /** Changing the host's firewall. */
  firewall: 0.5,
  /** k3s's uninstall script on a host that runs it. */
  uninstall: 6,
  /** The first server of a cluster, until its API answers. */
  firstServer: 5.6,
  /** A further server, until it votes in etcd. */
  serverJoin: 20,
  /** An agent, until its Node is Ready. */
  agentJoin: 4.5,
  /** Installing the mesh's client and joining. */
  meshJoin: 15,
  /** A restart of k3s on a host that is a member already. */
  restart: 8,
  /** Putting the binary and the installer in place. */
  install: 2,
  /** Labels, taints, annotations of one node. */
  marks: 0.5,
  /** Moving the pods of a node that has few. */
  drain: 5,
  /** The removal of a healthy etcd member by annotation. */
  etcdRemoval: 1,
  /** The same for a member that rejoined just now: the annotation can stay without an answer for this long. */
  etcdRemovalRejoined: 40,
  /** Deleting a Node and its password secret. */
  nodeDeletion: 0.5,
  /** Fetching the job's image and the chart, and applying it. */
  cilium: 20,
  /** Applying a release's CRDs. */
  crds: 3,
  /** Installing or upgrading a release until its pods are ready. */
  release: 30,
  /** Making or starting a VM whose image is there. */
  vm: 40,
  /** Stopping a VM. */
  vmStop: 10,
  /** Any other object of the Kubernetes API. */
  object: 0.2,
} as const;
