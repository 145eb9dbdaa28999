import { expect, test } from "vitest";
import { nodeAlerts } from "../../components/platform/node-alerts.ts";
import { kubePrometheusStack } from "../../components/platform/releases/kube-prometheus-stack.ts";
import { TOPOLOGIES } from "../support/topologies.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
}
const rules = (nodeAlerts("monitoring")["spec"] as { groups: { rules: Rule[] }[] }).groups.flatMap((one) => one.rules);
const SLEEPING = 'kube_node_labels{label_hybrid_k3s_io_intermittent="true"}';

test("what the chart says of a node that sleeps is said by a rule that leaves it out", () => {
  const settings = kubePrometheusStack.schema.parse({}) as never;
  const { defaultRules } = kubePrometheusStack.values(TOPOLOGIES["tokyo-sapporo"], settings) as {
    defaultRules: { disabled: object };
  };
  expect(Object.entries(defaultRules.disabled).sort()).toEqual([
    ["KubeDaemonSetRolloutStuck", true],
    ["KubeNodeNotReady", true],
    ["KubeNodeReadinessFlapping", true],
    ["KubeNodeUnreachable", true],
    ["KubeletInstanceUnreachable", true],
    ["TargetDown", true],
  ]);
  expect(rules.map(({ alert }) => alert).sort()).toEqual([
    "DaemonSetPodNotReady",
    "KubeletUnreachable",
    "NodeFlapping",
    "NodeNotReady",
    "NodeUnreachable",
    "TargetsDown",
  ]);
  expect(rules.filter(({ expr }) => !expr.includes(`unless on (node) ${SLEEPING}`))).toEqual([]);
});

test("a share of targets counts none of a node that sleeps, whether they name the node or a pod on it", () => {
  const { expr } = rules.find(({ alert }) => alert === "TargetsDown")!;
  const [down, all] = expr.split(" / ");
  for (const part of [down, all]) {
    expect(part).toContain(`up unless on (node) ${SLEEPING}`);
    expect(part).toContain(`unless on (namespace, pod) (kube_pod_info and on (node) ${SLEEPING})`);
  }
});
