import { z } from "zod";
import { saying } from "../../strict-schema.ts";
import { defineRelease, type Manifest } from "../release.ts";
import { kubernetesName, PLATFORM_RULES, releaseSettings } from "../release-settings.ts";

const SYSTEM = ["kube-system", "kube-public", "kube-node-lease"];

const schema = releaseSettings({
  namespaces: z
    .array(kubernetesName(), saying(PLATFORM_RULES.names))
    .min(1, saying(PLATFORM_RULES.names))
    .describe(
      "Namespaces, which must be there, where pods reach nothing and nothing reaches them until a policy of yours says so",
    ),
});

const policy = (namespace: string, name: string, spec: Record<string, unknown>): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: `${namespace}-${name}`, namespace },
  spec,
});

/** NetworkPolicies: what is not allowed is refused, namespace by namespace. */
export const networkPolicies = defineRelease({
  name: "network-policies",
  section: "Policy and safety",
  summary:
    "in the namespaces that you name, pods reach nothing but the cluster's DNS and each other until a policy allows more",
  home: "https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-policies",
  kind: "objects",
  // It makes nothing there: `default` is for people.
  namespace: "kube-system",
  podSecurity: "existing",
  timeoutSeconds: 60,
  schema,
  values: () => ({}),
  workloads: () => [],
  objects: (_topology, { namespaces }) =>
    namespaces.flatMap((namespace) => [
      policy(namespace, "default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
      policy(namespace, "same-namespace", {
        podSelector: {},
        policyTypes: ["Ingress", "Egress"],
        ingress: [{ from: [{ podSelector: {} }] }],
        egress: [{ to: [{ podSelector: {} }] }],
      }),
      policy(namespace, "dns", {
        podSelector: {},
        policyTypes: ["Egress"],
        egress: [
          {
            to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }],
            ports: [
              { port: 53, protocol: "UDP" },
              { port: 53, protocol: "TCP" },
            ],
          },
        ],
      }),
    ]),
  problems: (_topology, { namespaces }) =>
    namespaces
      .filter((namespace) => SYSTEM.includes(namespace))
      .map((namespace) => ({
        path: `namespaces[${namespaces.indexOf(namespace)}]`,
        found: namespace,
        allowed: "namespaces beside those of Kubernetes itself",
        fix: "remove it: the cluster's own pods talk to nodes and the API, which no policy of ours allows",
      })),
});
