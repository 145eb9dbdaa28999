import type { MachineSpec, Taint } from "../machine.ts";
import type { CiliumPlan } from "./cilium-values.ts";
import { HARDENED_KUBELET, HARDENED_SERVER } from "./hardening.ts";
import type { KubernetesSettings } from "./kubernetes-settings.ts";
import { yamlText } from "../yaml-text.ts";

/** What all nodes of a cluster share. */
export interface ClusterPlan {
  readonly region: string;
  readonly kubernetes: KubernetesSettings;
  /** Whether the raw configuration holds a secret: the configuration then travels as one. */
  readonly secretConfig: boolean;
  /** Content of the file that k3s's `flannel-conf` names. @default k3s's own */
  readonly flannelConf?: string;
  /** Cilium as the pod network. @default flannel */
  readonly cilium?: CiliumPlan;
  /** Pod range, CIDR. */
  readonly pods: string;
  /** Service range, CIDR. */
  readonly services: string;
  /** Address of the cluster's DNS service, inside the service range. */
  readonly clusterDns: string;
}

/**
 * The keys of a raw configuration that an agent knows; the others are the servers' alone.
 * https://docs.k3s.io/cli/agent
 */
const AGENT_KEYS = new Set(
  (
    "bind-address container-runtime-endpoint data-dir debug default-runtime disable-apiserver-lb " +
    "disable-default-registry-endpoint enable-pprof flannel-conf flannel-cni-conf flannel-iface " +
    "image-credential-provider-bin-dir image-credential-provider-config image-service-endpoint kube-proxy-arg " +
    "kubelet-arg lb-server-port log node-external-dns node-external-ip node-internal-dns nonroot-devices " +
    "pause-image prefer-bundled-bin private-registry protect-kernel-defaults resolv-conf selinux snapshotter v vmodule"
  ).split(" "),
);

const plainKey = (key: string): string => key.replace(/\+$/, "");
const asList = (value: unknown): unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value];

/** Merges raw configuration over ours; `key+` appends to a list, as in k3s's own drop-in files. */
function merge(ours: Record<string, unknown>, raw: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const merged = { ...ours };
  for (const [key, value] of Object.entries(raw)) {
    const name = plainKey(key);
    merged[name] = key.endsWith("+") ? [...asList(merged[name]), ...asList(value)] : value;
  }
  return merged;
}

const sorted = (config: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)));

const kubeletArguments = (kubernetes: KubernetesSettings): string[] => [
  ...(kubernetes.hardening.enabled ? HARDENED_KUBELET : []),
  ...kubernetes.kubeletArguments,
];

/** What a node's configuration says of the node itself. */
export interface NodeIdentity {
  readonly name: string;
  readonly role: "server" | "agent";
  /** Private address, its `node-ip`. */
  readonly address: string;
  /** Where its API is reached, beside that address. @default nowhere else */
  readonly apiAddresses?: readonly string[];
}

const forEveryNode = (plan: ClusterPlan, node: NodeIdentity): Record<string, unknown> => ({
  "node-name": node.name,
  "node-ip": node.address,
  "token-file": "/etc/rancher/k3s/token",
  "protect-kernel-defaults": plan.kubernetes.hardening.enabled,
  "kubelet-arg": kubeletArguments(plan.kubernetes),
  ...(plan.flannelConf === undefined ? {} : { "flannel-conf": "/etc/rancher/k3s/flannel.json" }),
});

/**
 * What of k3s the pod network needs, or stands in for. https://docs.cilium.io/en/stable/installation/k3s/
 * ServiceLB goes where Cilium gives Services their addresses: two would answer for one Service.
 */
function forPodNetwork({ kubernetes: { flannelBackend, cilium } }: ClusterPlan): Record<string, unknown> {
  if (cilium === undefined) return { "flannel-backend": flannelBackend };
  return {
    "flannel-backend": "none",
    "disable-network-policy": true,
    ...(cilium.kubeProxyReplacement ? { "disable-kube-proxy": true } : {}),
    ...(cilium.loadBalancerPool.length === 0 ? {} : { disable: ["servicelb"] }),
  };
}

/**
 * What must be equal on all servers, or k3s refuses the join with "critical configuration value mismatch"
 * (https://docs.k3s.io/cli/server#critical-configuration-values). This is the one place it comes from.
 */
export function forEveryServer(plan: ClusterPlan): Record<string, unknown> {
  const { kubernetes } = plan;
  const names = [...(kubernetes.endpoint === undefined ? [] : [kubernetes.endpoint]), ...kubernetes.tlsSans];
  return {
    "agent-token-file": "/etc/rancher/k3s/agent-token",
    "cluster-cidr": plan.pods,
    "service-cidr": plan.services,
    "cluster-dns": plan.clusterDns,
    ...forPodNetwork(plan),
    "write-kubeconfig-mode": "0600",
    ...(names.length === 0 ? {} : { "tls-san": [...new Set(names)].sort() }),
    ...(kubernetes.hardening.enabled ? HARDENED_SERVER : {}),
  };
}

/** k3s puts `node-ip` into the API certificate by itself, but not an address that only the outside or the mesh knows. */
function forServer(plan: ClusterPlan, { address, apiAddresses = [] }: NodeIdentity): Record<string, unknown> {
  const shared = forEveryServer(plan);
  const others = apiAddresses.filter((other) => other !== address);
  if (others.length === 0) return shared;
  return { ...shared, "tls-san": [...new Set([...asList(shared["tls-san"]), ...others])].sort() };
}

/**
 * Renders `/etc/rancher/k3s/config.yaml`. Holds no secret of ours (the raw part may: see `secretConfig`) and nothing that is decided at run time: how the node first
 * starts stands in the drop-in `10-start.yaml`, what only counts at registration in `20-registration.yaml`.
 */
export function renderConfig(plan: ClusterPlan, node: NodeIdentity): string {
  const raw = Object.fromEntries(
    Object.entries(plan.kubernetes.config).filter(([key]) => node.role === "server" || AGENT_KEYS.has(plainKey(key))),
  );
  const ours = { ...forEveryNode(plan, node), ...(node.role === "server" ? forServer(plan, node) : {}) };
  return yamlText(sorted(merge(ours, raw)));
}

/** Labels that say where a node stands. https://kubernetes.io/docs/reference/labels-annotations-taints/ */
const placeLabels = (region: string, spec: MachineSpec): Record<string, string> => ({
  "topology.kubernetes.io/region": region,
  "topology.kubernetes.io/zone": spec.zone,
  "hybrid-k3s.io/site": spec.site,
  "hybrid-k3s.io/pool": spec.pool,
  // Stated on every node, so that a plain nodeSelector can ask for those that stay.
  "hybrid-k3s.io/intermittent": String(spec.intermittent ?? false),
});

/** All labels that hybrid-k3s keeps on a node: where it stands, and the user's own. */
export const nodeLabels = (region: string, spec: MachineSpec): Record<string, string> => ({
  ...spec.labels,
  ...placeLabels(region, spec),
});

const lines = (values: readonly string[]): string => [...values].sort().join("\n");

/** Labels as the membership script reads them: one `key=value` a line. */
export const labelLines = (labels: Readonly<Record<string, string>>): string =>
  lines(Object.entries(labels).map(([key, value]) => `${key}=${value}`));

/** A taint in kubectl's form, `key=value:effect` or `key:effect`. */
export const taintText = (taint: Taint): string =>
  `${taint.key}${taint.value === "" ? "" : `=${taint.value}`}:${taint.effect}`;

/** Taints as the membership script reads them: one a line. */
export const taintLines = (taints: readonly Taint[]): string => lines(taints.map(taintText));

/**
 * Renders what k3s reads only when a node registers. Labels that a kubelet may not give itself
 * (https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction) come with the
 * membership; taints stand here so that no pod slips in before it.
 */
export function renderRegistration(region: string, spec: MachineSpec): string {
  return yamlText({
    "node-label": Object.entries(placeLabels(region, spec)).map(([key, value]) => `${key}=${value}`),
    "node-taint": spec.taints.map(taintText).sort(),
  });
}
