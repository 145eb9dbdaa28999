import type { Rule } from "../../strict-schema.ts";
import { noValues } from "../no-values.ts";
import {
  POD_RULE_NAMES,
  podPolicyName,
  podRuleActions,
  type PodRuleName,
  podRuleNamespaces,
  podRuleSettings,
  podRuleSpec,
} from "../pod-rules.ts";
import { defineRelease, type Manifest } from "../release.ts";
import { releaseSettings } from "../release-settings.ts";

const RULES = {
  policies: {
    allowed: `a list of ${POD_RULE_NAMES.join(", ")}, at least one`,
    fix: "remove the setting for all of them",
  },
} as const satisfies Record<string, Rule>;

const OTHERWISE =
  "who makes it is warned, which for the pods of a Deployment is Kubernetes itself, and the audit log has it where there is one";

const API = "admissionregistration.k8s.io/v1";

const policy = (name: PodRuleName): Manifest => ({
  apiVersion: API,
  kind: "ValidatingAdmissionPolicy",
  metadata: { name: podPolicyName(name) },
  spec: podRuleSpec(name),
});

const binding = (name: PodRuleName, enforce: boolean, namespaceSelector: object): Manifest => ({
  apiVersion: API,
  kind: "ValidatingAdmissionPolicyBinding",
  metadata: { name: podPolicyName(name) },
  spec: {
    policyName: podPolicyName(name),
    validationActions: podRuleActions(enforce),
    matchResources: { namespaceSelector },
  },
});

/** Rules that the API server itself holds pods to: nothing runs for them that could be away. */
export const admissionPolicies = defineRelease({
  name: "admission-policies",
  section: "Policy and safety",
  summary:
    "rules for pods that the API server itself keeps: no hostPath, no image without a version, no container without requests",
  home: "https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/",
  kind: "objects",
  namespace: "kube-system",
  podSecurity: "existing",
  timeoutSeconds: 60,
  schema: releaseSettings(podRuleSettings(RULES.policies, 1, OTHERWISE)),
  values: () => ({}),
  workloads: () => [],
  objects: (topology, { policies, enforce, except }) =>
    policies.flatMap((name) => [policy(name), binding(name, enforce, podRuleNamespaces(topology, except))]),
  claims: (_topology, { policies }) => ({ podRules: policies }),
  problems: (_topology, { values }) => noValues(values, "a policy of your own"),
});
