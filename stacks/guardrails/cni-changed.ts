import { CNI_NAMES, cniVariantOf, type CniVariant } from "../../components/k3s/cni-variant.ts";
import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** A live cluster keeps its pod network: servers that disagree about it refuse each other, and pods keep the old one's interfaces. */
export const cniChanged: Guardrail = {
  id: "cni-changed",
  reason: "node by node, a live cluster cannot change its pod network: half of the pods would not reach the others",
  severity: "refuse",
  check: ({ kubernetes }, deployed) => {
    const variant = cniVariantOf(kubernetes);
    if (deployed === undefined || deployed.cni === variant) return [];
    const before = CNI_NAMES[deployed.cni as CniVariant] as string | undefined;
    return [
      problemText("kubernetes.cni", CNI_NAMES[variant], {
        allowed: `${before ?? deployed.cni}, as deployed`,
        fix: "set cni, flannelBackend and cilium.kubeProxyReplacement back, or build a new region and move to it",
      }),
    ];
  },
};
