/** A taint that keeps pods away which do not tolerate it. https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
export interface TopologyTaint {
  readonly key: string;
  /** Empty where it has none. */
  readonly value: string;
  readonly effect: "NoSchedule" | "NoExecute";
}

/**
 * A pool of a region, as far as it decides where pods go. Machines of one pool that differ in what they let in stand here
 * apart, as pools of one name.
 */
export interface TopologyPool {
  readonly site: string;
  readonly name: string;
  readonly role: "server" | "agent";
  /** How many machines it has. */
  readonly nodes: number;
  /** CPUs and memory of each machine; those that are not known are left out. */
  readonly sizes: readonly { readonly cpus: number; readonly memoryGiB: number }[];
  /** Whether ports 80 and 443 of its machines are open to the world. */
  readonly ingress: boolean;
  /** Whether its machines come and go, such as a laptop that sleeps: no volume belongs there. */
  readonly intermittent: boolean;
  /** What keeps pods away from its machines; none: any pod may run there. */
  readonly taints: readonly TopologyTaint[];
}

/** A site of a region, as far as releases ask for it. */
export interface TopologySite {
  readonly name: string;
  readonly kind: "existing" | "hetzner" | "lightsail" | "lima";
  /** Of Hetzner's servers, such as `fsn1`, those that are preferred first. @default the kind has none */
  readonly locations?: readonly string[];
}

/** A pool with `ingress` whose requests reach Traefik with another sender than the one who sent them. */
export interface HiddenSenders {
  /** `<site>/<pool>`. */
  readonly pool: string;
  /**
   * Whose address takes the sender's place. `load-balancer`: that of a load balancer without PROXY protocol. `service-lb`:
   * that of k3s's load balancer in the cluster, for what arrives at another address than the node's own; Kubernetes hands on
   * what arrives at the node's own as it came. https://github.com/k3s-io/klipper-lb/blob/master/entry
   */
  readonly behind: "load-balancer" | "service-lb";
}

/** What a release may know of the region it runs in. Plain values. */
export interface Topology {
  readonly region: string;
  readonly sites: readonly TopologySite[];
  readonly pools: readonly TopologyPool[];
  readonly mesh: "tailscale" | "netbird" | "none";
  readonly cni: "flannel" | "cilium";
  /** Whether Cilium stands in for kube-proxy. */
  readonly kubeProxyReplacement: boolean;
  /** Whether Services of type LoadBalancer get addresses of a pool that Cilium announces. */
  readonly addressPool: boolean;
  /** Whether Traefik logs each request; undefined where settings say nothing of Traefik: k3s's own settings write no log. */
  readonly accessLog: boolean | undefined;
  /** Where Traefik does not see who sends a request. */
  readonly hiddenSenders: readonly HiddenSenders[];
  /**
   * What the ClusterIssuer `letsencrypt` proves by DNS, wildcards too: all names, or those in some zones; undefined where
   * settings make no such issuer.
   */
  readonly dnsProven: "all" | readonly string[] | undefined;
  /** What k3s is told to leave out, such as `local-storage`. https://docs.k3s.io/installation/packaged-components */
  readonly disabled: readonly string[];
  /** Range of pods, CIDR. */
  readonly pods: string;
  /** Range of Services, CIDR. */
  readonly services: string;
  /** Address of the cluster's DNS. */
  readonly clusterDns: string;
  /** Namespaces that this project, k3s or Kubernetes keeps, sorted: nothing else may write into them. */
  readonly ownedNamespaces: readonly string[];
}

/** Pools as people know them, each once: `<site>/<name>`. */
export const poolNames = (pools: readonly Pick<TopologyPool, "site" | "name">[]): string =>
  [...new Set(pools.map(({ site, name }) => `${site}/${name}`))].join(", ");

/** How many machines some pools have together. */
export const nodesIn = (pools: readonly TopologyPool[]): number => pools.reduce((sum, { nodes }) => sum + nodes, 0);
