import { mergeValues } from "../helm-values.ts";
import type { CiliumSettings } from "./cilium-settings.ts";
import { yamlText } from "../yaml-text.ts";

/** Cilium as the pod network of a region. Plain values. */
export interface CiliumPlan {
  readonly settings: CiliumSettings;
  /** Address of the chart's repository. */
  readonly repository: string;
  readonly chart: string;
  /** MTU of what Cilium's tunnel runs over. Bytes. See `mtusOf`. */
  readonly underlay: number;
  /** Interfaces that Cilium works on; `!` leaves one out of those that it finds. Empty: those that it finds. */
  readonly devices: readonly string[];
  /** The site whose LAN the pool of addresses lies on. @default there is no pool */
  readonly poolSite?: string;
}

/** Where k3s's own load balancer for the API listens on every node, servers and agents: https://docs.k3s.io/cli/agent */
const API_HOST = "127.0.0.1";
const API_PORT = 6444;

/** A lease for every announced Service is renewed all the time: https://docs.cilium.io/en/stable/network/l2-announcements/ */
const RATE_LIMIT = { qps: 20, burst: 40 };

/**
 * Helm values of Cilium for a region. The user's own are merged over them.
 * @param nodes how many machines the region has
 */
export function ciliumValues({ settings, underlay, devices }: CiliumPlan, nodes: number): Record<string, unknown> {
  const { kubeProxyReplacement, hubble, loadBalancerPool, values } = settings;
  const announces = loadBalancerPool.length > 0;
  const ours = {
    kubeProxyReplacement,
    k8sServiceHost: API_HOST,
    k8sServicePort: API_PORT,
    // Pods get addresses of the range that Kubernetes gives their node, as with flannel.
    ipam: { mode: "kubernetes" },
    routingMode: "tunnel",
    tunnelProtocol: "vxlan",
    // Stated, for Cilium would take the smallest of all interfaces that it finds, and follow it.
    MTU: underlay,
    ...(devices.length === 0 ? {} : { devices: [...devices] }),
    operator: { replicas: Math.min(2, nodes) },
    hubble: { enabled: hubble, relay: { enabled: hubble }, ui: { enabled: hubble } },
    ...(announces ? { l2announcements: { enabled: true }, k8sClientRateLimit: RATE_LIMIT } : {}),
  };
  return mergeValues(ours, values);
}

/** Renders the object that k3s's Helm controller installs Cilium by: https://docs.k3s.io/add-ons/helm */
export const ciliumChart = (plan: CiliumPlan, nodes: number): string =>
  yamlText({
    apiVersion: "helm.cattle.io/v1",
    kind: "HelmChart",
    metadata: { name: "cilium", namespace: "kube-system" },
    spec: {
      repo: plan.repository,
      chart: plan.chart,
      version: plan.settings.version,
      targetNamespace: "kube-system",
      // Its job runs on the host's network, on nodes that are not Ready yet.
      bootstrap: true,
      // The default would uninstall the pod network when an upgrade fails.
      failurePolicy: "abort",
      valuesContent: yamlText(ciliumValues(plan, nodes)),
    },
  });

/** Renders the pool of addresses, and who answers for them on the LAN. Empty text: there is no pool. */
export function ciliumPool({ settings: { loadBalancerPool }, poolSite }: CiliumPlan): string {
  if (loadBalancerPool.length === 0 || poolSite === undefined) return "";
  const metadata = { name: "hybrid-k3s" };
  const pool = {
    apiVersion: "cilium.io/v2",
    kind: "CiliumLoadBalancerIPPool",
    metadata,
    spec: { blocks: loadBalancerPool.map(({ start, stop }) => ({ start, stop })) },
  };
  const policy = {
    apiVersion: "cilium.io/v2alpha1",
    kind: "CiliumL2AnnouncementPolicy",
    metadata,
    // Only nodes on that LAN can answer for its addresses.
    spec: { loadBalancerIPs: true, nodeSelector: { matchLabels: { "hybrid-k3s.io/site": poolSite } } },
  };
  return [pool, policy].map((object) => yamlText(object)).join("---\n");
}
