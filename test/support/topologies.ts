import type { Topology } from "../../components/platform/topology.ts";

const rest = {
  pods: "10.66.0.0/16",
  services: "10.67.0.0/16",
  clusterDns: "10.67.0.10",
  addressPool: false,
  accessLog: true,
  hiddenSenders: [],
  dnsProven: "all",
  disabled: ["local-storage"],
  ownedNamespaces: ["argocd", "cert-manager", "kube-node-lease", "kube-public", "kube-system"],
} as const;
const pool = { ingress: false, intermittent: false, taints: [] } as const;
const machines = (count: number, cpus: number, memoryGiB: number) => ({
  nodes: count,
  sizes: Array.from({ length: count }, () => ({ cpus, memoryGiB })),
});

/** The three regions that every release's values are looked at for. */
export const TOPOLOGIES = {
  /** Hetzner servers, all of them in one site. */
  "one-site": {
    ...rest,
    region: "fsn1",
    sites: [{ name: "falkenstein", kind: "hetzner", locations: ["fsn1", "nbg1"] }],
    pools: [
      { ...pool, site: "falkenstein", name: "control", role: "server", ...machines(3, 4, 8) },
      { ...pool, site: "falkenstein", name: "work", role: "agent", ingress: true, ...machines(3, 4, 8) },
    ],
    mesh: "netbird",
    cni: "cilium",
    kubeProxyReplacement: true,
  },
  /** Three small servers in a cloud, and VMs at home of which one pool sleeps. */
  "tokyo-sapporo": {
    ...rest,
    region: "tokyo",
    sites: [
      { name: "sapporo", kind: "lima" },
      { name: "tokyo", kind: "lightsail" },
    ],
    pools: [
      { ...pool, site: "sapporo", name: "home", role: "agent", ...machines(4, 3, 8) },
      { ...pool, site: "sapporo", name: "laptop", role: "agent", intermittent: true, ...machines(1, 4, 16) },
      { ...pool, site: "tokyo", name: "control", role: "server", ingress: true, ...machines(3, 2, 8) },
    ],
    mesh: "tailscale",
    cni: "flannel",
    kubeProxyReplacement: false,
  },
  /** Three hosts in a rack, whose sizes nobody told. */
  "on-premises": {
    ...rest,
    region: "mn",
    sites: [{ name: "ulaanbaatar", kind: "existing" }],
    pools: [{ ...pool, site: "ulaanbaatar", name: "control", role: "server", nodes: 3, sizes: [] }],
    mesh: "netbird",
    cni: "cilium",
    kubeProxyReplacement: true,
    addressPool: true,
  },
} as const satisfies Record<string, Topology>;
