import { metricLabel } from "./node-dashboard.ts";
import type { Manifest } from "./release.ts";
import { NODE_LABELS } from "./spot.ts";

/** Alerts of the chart that would wake somebody for a laptop that was closed. The rule below says them in their place. */
export const REPLACED_ALERTS = ["KubeNodeNotReady", "KubeNodeUnreachable", "KubeNodeReadinessFlapping"] as const;

const INTERMITTENT = metricLabel(NODE_LABELS.intermittent);
/** Leaves nodes out that may come and go. */
const staying = (expression: string): string =>
  `(${expression}) unless on (node) kube_node_labels{${INTERMITTENT}="true"}`;

const alert = (
  name: string,
  expression: string,
  minutes: number,
  severity: "warning" | "critical",
  summary: string,
) => ({
  alert: name,
  expr: staying(expression),
  for: `${minutes}m`,
  labels: { severity },
  annotations: { summary },
});

/** Alerts about nodes that are to stay. */
export const nodeAlerts = (namespace: string): Manifest => ({
  apiVersion: "monitoring.coreos.com/v1",
  kind: "PrometheusRule",
  metadata: { name: "hybrid-k3s-nodes", namespace },
  spec: {
    groups: [
      {
        name: "hybrid-k3s-nodes",
        rules: [
          alert(
            "NodeNotReady",
            'kube_node_status_condition{condition="Ready", status="true"} == 0 and on (node) kube_node_spec_unschedulable == 0',
            15,
            "warning",
            "{{ $labels.node }} has not been Ready for 15 minutes",
          ),
          alert(
            "NodeUnreachable",
            'kube_node_spec_taint{key="node.kubernetes.io/unreachable", effect="NoSchedule"} == 1',
            15,
            "critical",
            "{{ $labels.node }} does not answer: its pods are started elsewhere, its volumes are not",
          ),
          alert(
            "NodeFlapping",
            'sum by (node) (changes(kube_node_status_condition{condition="Ready", status="true"}[15m])) > 4',
            15,
            "warning",
            "{{ $labels.node }} becomes Ready and not Ready again: look at its way through the mesh",
          ),
        ],
      },
    ],
  },
});
