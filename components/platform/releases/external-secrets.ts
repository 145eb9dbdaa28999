import { z } from "zod";
import { type Rule, saying, strict, text } from "../../strict-schema.ts";
import { defineRelease, type Manifest } from "../release.ts";
import { kubernetesName, PLATFORM_RULES, releaseSettings, replicas, word } from "../release-settings.ts";
import { replicasIn, spotFor, spreadOverNodes } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const NAME = "external-secrets";

/** Of the pod that is active: the Service `openbao` sends requests to pods that are sealed as well. */
const OPENBAO = "http://openbao-active.openbao.svc:8200";

const RULES = {
  server: {
    allowed: "an https address, or an http one of a Service of this cluster",
    fix: `write it like "https://vault.example.com" or "${OPENBAO}"`,
  },
} as const satisfies Record<string, Rule>;

const SERVER = /^(https:\/\/[^\s@]+|http:\/\/[a-z0-9-]+\.[a-z0-9-]+\.svc(\.cluster\.local)?(:\d+)?)$/;

const REQUESTS = {
  controller: { cpu: 10, memory: 64 },
  webhook: { cpu: 10, memory: 48 },
  "cert-controller": { cpu: 10, memory: 64 },
} as const satisfies Record<string, Requests>;

const schema = releaseSettings({
  replicas: replicas()
    .optional()
    .describe("Replicas of the controller and of its webhook; left out: two where there are two machines"),
  vault: strict({
    server: text(RULES.server, (value) => SERVER.test(value)).describe(`Its address, such as \`${OPENBAO}\``),
    path: word().default("secret").describe("Where its engine for keys and values (version 2) is mounted"),
    mount: word().default("kubernetes").describe("Where its login for this cluster's ServiceAccounts is mounted"),
    role: word()
      .default(NAME)
      .describe("Role of that login, bound to the ServiceAccount external-secrets of the namespace external-secrets"),
    namespaces: z
      .array(kubernetesName(), saying(PLATFORM_RULES.name))
      .default([])
      .describe("Namespaces that may read from it; left out: all"),
  })
    .optional()
    .describe("A ClusterSecretStore named vault, of OpenBao or Vault; its login holds no secret. Left out: no store"),
});
type Settings = z.output<typeof schema>;

function store({ vault }: Settings): Manifest[] {
  if (vault === undefined) return [];
  const { server, path, mount, role, namespaces } = vault;
  const auth = { kubernetes: { mountPath: mount, role, serviceAccountRef: { name: NAME, namespace: NAME } } };
  return [
    {
      apiVersion: "external-secrets.io/v1",
      kind: "ClusterSecretStore",
      metadata: { name: "vault" },
      spec: {
        ...(namespaces.length === 0 ? {} : { conditions: [{ namespaces }] }),
        provider: { vault: { server, path, version: "v2", auth } },
      },
    },
  ];
}

function plan(topology: Topology, settings: Settings) {
  const spot = spotFor(topology, settings.place, "anywhere");
  return { spot, count: settings.replicas ?? replicasIn(spot, 2) };
}

const spread = (name: string) =>
  spreadOverNodes({ "app.kubernetes.io/name": name, "app.kubernetes.io/instance": NAME });

/** External Secrets Operator: Secrets from a store outside of the cluster. */
export const externalSecrets = defineRelease({
  name: NAME,
  section: "Certificates and secrets",
  summary: "keeps Secrets as a store says that holds them, such as OpenBao, Vault or a cloud's own",
  home: "https://external-secrets.io/latest/introduction/getting-started/",
  kind: "chart",
  namespace: NAME,
  podSecurity: "restricted",
  timeoutSeconds: 600,
  schema,
  values: (topology, settings) => {
    const { spot, count } = plan(topology, settings);
    return {
      // The CRDs are applied on their own, so that they are upgraded and so that they stay.
      installCRDs: false,
      global: { nodeSelector: { "kubernetes.io/os": "linux", ...spot.nodeSelector } },
      replicaCount: count,
      // Only one of several writes.
      leaderElect: count > 1,
      resources: resourcesOf(REQUESTS.controller, 256),
      topologySpreadConstraints: spread("external-secrets"),
      webhook: {
        // While it is away, no ExternalSecret can be changed.
        replicaCount: count,
        resources: resourcesOf(REQUESTS.webhook),
        topologySpreadConstraints: spread("external-secrets-webhook"),
      },
      // It renews the webhook's certificate, which has days left when it does: one is enough.
      certController: { resources: resourcesOf(REQUESTS["cert-controller"], 192) },
    };
  },
  workloads: (topology, settings) => {
    const { spot, count } = plan(topology, settings);
    return [
      { name: "controller", replicas: count, requests: REQUESTS.controller, spot },
      { name: "webhook", replicas: count, requests: REQUESTS.webhook, spot },
      { name: "cert-controller", replicas: 1, requests: REQUESTS["cert-controller"], spot },
    ];
  },
  objects: (_topology, settings) => store(settings),
});
