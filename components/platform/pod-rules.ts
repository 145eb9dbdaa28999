import { z } from "zod";
import { saying, type Rule } from "../strict-schema.ts";
import { flag, kubernetesName, PLATFORM_RULES } from "./release-settings.ts";
import type { Topology } from "./topology.ts";

/** One rule that pods keep, in the API server's own language: https://kubernetes.io/docs/reference/using-api/cel/ */
interface PodRule {
  readonly variables?: Readonly<Record<string, string>>;
  /** What holds for a pod that keeps the rule. */
  readonly expression: string;
  readonly message: string;
}

/** All containers of a pod; those for debugging are of another type, and cannot be put into one list with the rest. */
const CONTAINERS = "object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : [])";
/** A name with a digest, or with a tag behind its last part that is not the moving one. */
const PINNED = String.raw`image.contains('@sha256:') || (image.matches(':[^:/]+$') && !image.endsWith(':latest'))`;

const POD_RULES = {
  "no-host-path": {
    expression: "!has(object.spec.volumes) || object.spec.volumes.all(volume, !has(volume.hostPath))",
    message: "a volume is a folder of the machine (hostPath): use a PersistentVolumeClaim or emptyDir",
  },
  "image-tag": {
    variables: { images: `(${CONTAINERS}).map(container, container.image)` },
    expression: `variables.images.all(image, ${PINNED})`,
    message: "an image has no tag, or the tag latest, which says nothing of what runs: write a version or a digest",
  },
  requests: {
    // Without dyn the API server warns: its type of a container has no fields below resources.
    expression:
      "object.spec.containers.all(container, has(container.resources) && has(dyn(container.resources).requests) && " +
      "['cpu', 'memory'].all(name, name in dyn(container.resources).requests))",
    message: "a container states no requests for cpu and memory: without them a machine is filled until it breaks",
  },
} as const satisfies Record<string, PodRule>;

/** Name of a rule. */
export type PodRuleName = keyof typeof POD_RULES;

/** All rules. */
export const POD_RULE_NAMES = Object.keys(POD_RULES) as PodRuleName[];

/** Beside other people's policies, ours are known by this. */
export const podPolicyName = (name: PodRuleName): string => `hybrid-k3s-${name}`;

/** What a rule is in `spec` of a ValidatingAdmissionPolicy, and of Kyverno's policies, which took their form from it. */
export function podRuleSpec(name: PodRuleName) {
  const { expression, message, variables = {} }: PodRule = POD_RULES[name];
  return {
    // A rule that cannot be worked out stops nobody: these are for order, not for safety from attackers.
    failurePolicy: "Ignore",
    matchConstraints: {
      // Not UPDATE: a pod that is there already would be kept from ending, for its finalizer could not be taken off.
      resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
    },
    ...(Object.keys(variables).length === 0
      ? {}
      : { variables: Object.entries(variables).map(([variable, of]) => ({ name: variable, expression: of })) }),
    validations: [{ expression, message }],
  };
}

/** What becomes of a pod that breaks a rule. */
export const podRuleActions = (enforce: boolean): string[] => (enforce ? ["Deny"] : ["Warn", "Audit"]);

/** The namespaces where rules count: not those of the stack, of k3s and of Kubernetes, and not what settings except. */
export const podRuleNamespaces = ({ ownedNamespaces }: Topology, except: readonly string[] = []) => ({
  matchExpressions: [
    {
      key: "kubernetes.io/metadata.name",
      operator: "NotIn",
      values: [...new Set([...ownedNamespaces, ...except])].sort(),
    },
  ],
});

/**
 * What settings say of the rules, whoever keeps them.
 * @param least how many rules there must be
 * @param otherwise what happens as long as nothing is refused
 */
export const podRuleSettings = (rule: Rule, least: number, otherwise: string) => ({
  policies: z
    .array(z.enum(POD_RULE_NAMES, saying(rule)), saying(rule))
    .min(least, saying(rule))
    .default(POD_RULE_NAMES)
    .describe(
      "Which rules count: `no-host-path`, `image-tag` (none, or latest, is refused), `requests` (cpu and memory)",
    ),
  enforce: flag().default(false).describe(`Whether a pod that breaks a rule is refused; otherwise ${otherwise}`),
  except: z
    .array(kubernetesName(), saying(PLATFORM_RULES.names))
    .default([])
    .describe(
      "Further namespaces where the rules do not count, beside those of Kubernetes and of the stack's releases",
    ),
});
