import type { z } from "zod";
import type { Rule } from "../../strict-schema.ts";
import {
  POD_RULE_NAMES,
  podPolicyName,
  podRuleActions,
  type PodRuleName,
  podRuleNamespaces,
  podRuleSettings,
  podRuleSpec,
} from "../pod-rules.ts";
import { defineRelease, type Manifest, type Values } from "../release.ts";
import { releaseSettings, replicas } from "../release-settings.ts";
import { type Spot, spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const RULES = {
  policies: {
    allowed: `a list of ${POD_RULE_NAMES.join(", ")}, or an empty one where only policies of yours count`,
    fix: "remove the setting for all of them",
  },
} as const satisfies Record<string, Rule>;

const REQUESTS = {
  admission: { cpu: 50, memory: 160 },
  background: { cpu: 20, memory: 96 },
  cleanup: { cpu: 10, memory: 64 },
  reports: { cpu: 20, memory: 96 },
} as const satisfies Record<string, Requests>;
type Part = keyof typeof REQUESTS;

const schema = releaseSettings({
  ...podRuleSettings(
    RULES.policies,
    0,
    "who makes it, or a Deployment of such pods, is warned, and PolicyReports have it",
  ),
  replicas: replicas()
    .default(1)
    .describe(
      "Pods that answer the API server. Ours refuse nothing while none does; three where policies of yours refuse then",
    ),
});
type Settings = z.output<typeof schema>;

// It watches the whole cluster and answers the API server while somebody waits: machines that stay, in one site.
const spotOf = (topology: Topology, { place }: Settings): Spot => spotFor(topology, place, "steady");
/** What it keeps of the cluster grows with the cluster. */
const resources = (part: Part) => resourcesOf(REQUESTS[part], 4 * REQUESTS[part].memory);

/**
 * A rule as a policy of Kyverno. Beside what the API server makes of the same rule, Kyverno looks at what runs already,
 * writes it into PolicyReports, and warns of a Deployment whose pods would break it.
 */
const policy = (name: PodRuleName, topology: Topology, { enforce, except }: Settings): Manifest => {
  const { matchConstraints, ...spec } = podRuleSpec(name);
  return {
    apiVersion: "policies.kyverno.io/v1",
    kind: "ValidatingPolicy",
    metadata: { name: podPolicyName(name) },
    spec: {
      ...spec,
      matchConstraints: { ...matchConstraints, namespaceSelector: podRuleNamespaces(topology, except) },
      validationActions: podRuleActions(enforce),
    },
  };
};

function values(topology: Topology, settings: Settings): Values {
  const { nodeSelector } = spotOf(topology, settings);
  return {
    // Applied on their own: with the chart they would go with the release, and every policy with them.
    crds: { install: false },
    global: { nodeSelector },
    // What the cluster stands on starts while Kyverno is away, whatever policies say.
    config: { webhooks: { namespaceSelector: podRuleNamespaces(topology) } },
    admissionController: {
      replicas: settings.replicas,
      container: { resources: resources("admission") },
    },
    backgroundController: { resources: resources("background") },
    cleanupController: { resources: resources("cleanup") },
    reportsController: { resources: resources("reports") },
  };
}

/** Kyverno: policies for everything in the cluster, with reports. */
export const kyverno = defineRelease({
  name: "kyverno",
  section: "Policy and safety",
  summary:
    "policies of your own, which also change and make objects, and reports of what breaks them; for the three rules alone admission-policies is enough and needs no pod",
  home: "https://kyverno.io/docs/",
  kind: "chart",
  namespace: "kyverno",
  podSecurity: "restricted",
  timeoutSeconds: 600,
  schema,
  values,
  workloads: (topology, settings) => {
    const spot = spotOf(topology, settings);
    return [
      {
        name: "admission-controller",
        replicas: settings.replicas,
        requests: REQUESTS.admission,
        spot,
      },
      ...(["background", "cleanup", "reports"] as const).map((part) => ({
        name: `${part}-controller`,
        replicas: 1,
        requests: REQUESTS[part],
        spot,
      })),
    ];
  },
  objects: (topology, settings) => settings.policies.map((name) => policy(name, topology, settings)),
  claims: (_topology, { policies }) => ({ podRules: policies }),
});
