import { metricLabel } from "./node-dashboard.ts";
import type { Manifest } from "./release.ts";
import { NODE_LABELS } from "./spot.ts";

/**
 * Alerts of the chart that would wake somebody for a laptop that was closed: its node, its kubelet, its pods of every
 * DaemonSet, and what is measured there. The rule below says them in their place.
 * https://github.com/prometheus-community/helm-charts/tree/kube-prometheus-stack-88.5.3/charts/kube-prometheus-stack/templates/prometheus/rules-1.14
 */
export const REPLACED_ALERTS = [
  "KubeNodeNotReady",
  "KubeNodeUnreachable",
  "KubeNodeReadinessFlapping",
  "KubeDaemonSetRolloutStuck",
  "KubeletInstanceUnreachable",
  "TargetDown",
] as const;

const INTERMITTENT = `kube_node_labels{${metricLabel(NODE_LABELS.intermittent)}="true"}`;
/** Leaves nodes out that may come and go. */
const staying = (expression: string): string => `(${expression}) unless on (node) ${INTERMITTENT}`;
/** What is measured, without targets on such nodes: a target names its node, or its pod, which names the node. */
const TARGETS = `(up unless on (node) ${INTERMITTENT} unless on (namespace, pod) (kube_pod_info and on (node) ${INTERMITTENT}))`;
const byService = (expression: string): string => `count by (cluster, job, namespace, service) (${expression})`;

const alert = (name: string, expr: string, minutes: number, severity: "warning" | "critical", summary: string) => ({
  alert: name,
  expr,
  for: `${minutes}m`,
  labels: { severity },
  annotations: { summary },
});

/** How long they wait is what the chart's own alerts wait. */
const NODES = [
  alert(
    "NodeNotReady",
    staying(
      'kube_node_status_condition{condition="Ready", status="true"} == 0 and on (node) kube_node_spec_unschedulable == 0',
    ),
    15,
    "warning",
    "{{ $labels.node }} has not been Ready for 15 minutes",
  ),
  alert(
    "NodeUnreachable",
    staying('kube_node_spec_taint{key="node.kubernetes.io/unreachable", effect="NoSchedule"} == 1'),
    15,
    "critical",
    "{{ $labels.node }} does not answer: its pods are started elsewhere, its volumes are not",
  ),
  alert(
    "NodeFlapping",
    staying('sum by (node) (changes(kube_node_status_condition{condition="Ready", status="true"}[15m])) > 4'),
    15,
    "warning",
    "{{ $labels.node }} becomes Ready and not Ready again: look at its way through the mesh",
  ),
  alert(
    "KubeletUnreachable",
    staying('up{job="kubelet", metrics_path="/metrics"} == 0'),
    15,
    "warning",
    "The kubelet of {{ $labels.node }} has not answered Prometheus for 15 minutes",
  ),
];

const PODS = [
  // A DaemonSet's own numbers do not say on which node a pod is missing; pods that were never made are another alert's.
  alert(
    "DaemonSetPodNotReady",
    staying(
      'kube_pod_info{created_by_kind="DaemonSet"} and on (namespace, pod) kube_pod_status_ready{condition="true"} == 0',
    ),
    15,
    "warning",
    "{{ $labels.namespace }}/{{ $labels.created_by_name }} has had no ready pod on {{ $labels.node }} for 15 minutes",
  ),
  alert(
    "TargetsDown",
    `100 * ${byService(`${TARGETS} == 0`)} / ${byService(TARGETS)} > 10`,
    10,
    "warning",
    '{{ printf "%.4g" $value }} % of the targets of {{ $labels.job }}/{{ $labels.service }} in {{ $labels.namespace }} do not answer',
  ),
];

/** Alerts about nodes that are to stay, and about what is on them. */
export const nodeAlerts = (namespace: string): Manifest => ({
  apiVersion: "monitoring.coreos.com/v1",
  kind: "PrometheusRule",
  metadata: { name: "hybrid-k3s-nodes", namespace },
  spec: { groups: [{ name: "hybrid-k3s-nodes", rules: [...NODES, ...PODS] }] },
});
