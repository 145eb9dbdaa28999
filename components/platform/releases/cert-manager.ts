import { z } from "zod";
import { saying } from "../../strict-schema.ts";
import { defineRelease, type Manifest, type ReleaseProblem } from "../release.ts";
import { email, hostname, PLATFORM_RULES, releaseSettings, replicas, secretText } from "../release-settings.ts";
import { replicasIn, spotFor, spreadOverNodes } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";
import { strict } from "../../strict-schema.ts";

const REQUESTS = {
  controller: { cpu: 10, memory: 64 },
  webhook: { cpu: 10, memory: 32 },
  cainjector: { cpu: 10, memory: 64 },
} as const satisfies Record<string, Requests>;

const schema = releaseSettings({
  replicas: replicas()
    .optional()
    .describe("Replicas of each of its three deployments; left out: two where there are two machines"),
  issuer: strict({
    email: email().describe("Where Let's Encrypt writes to before a certificate ends"),
    staging: z
      .boolean(saying(PLATFORM_RULES.switch))
      .default(false)
      .describe("Whether the staging environment signs, which browsers do not trust"),
    cloudflareToken: secretText()
      .optional()
      .describe("API token of the zone at Cloudflare, encrypted: proves names by DNS, wildcards too"),
    zones: z
      .array(hostname(), saying(PLATFORM_RULES.host))
      .default([])
      .describe("DNS zones that the token proves; left out: all names"),
    ingressClass: z
      .string(saying(PLATFORM_RULES.name))
      .optional()
      .describe(
        "Ingress class that answers HTTP proofs where the token proves nothing; left out: that of k3s's Traefik",
      ),
  })
    .optional()
    .describe("A ClusterIssuer named letsencrypt"),
});
type Settings = z.output<typeof schema>;

const TOKEN = "cloudflare-token";
// https://letsencrypt.org/docs/acme-protocol-updates/ and https://letsencrypt.org/docs/staging-environment/
const directory = (staging: boolean): string =>
  `https://acme-${staging ? "staging-v02" : "v02"}.api.letsencrypt.org/directory`;

/** Who answers HTTP proofs; undefined where nobody is there who could. */
const answering = ({ disabled }: Topology, ingressClass: string | undefined): string | undefined =>
  ingressClass ?? (disabled.includes("traefik") ? undefined : "traefik");

function problems(topology: Topology, { issuer: wanted }: Settings): ReleaseProblem[] {
  if (wanted?.cloudflareToken !== undefined) return [];
  return wanted === undefined || answering(topology, wanted.ingressClass) !== undefined
    ? []
    : [
        {
          path: "issuer",
          found: "proofs over HTTP, and no Traefik, which kubernetes.config.disable leaves out",
          allowed: "a token for proofs by DNS, or an ingress class that answers proofs over HTTP",
          fix: "write issuer.cloudflareToken, or issuer.ingressClass for an ingress controller of your own",
        },
      ];
}

function issuer(topology: Topology, { issuer: wanted }: Settings): Manifest[] {
  if (wanted === undefined) return [];
  const dns = { cloudflare: { apiTokenSecretRef: { name: TOKEN, key: "api-token" } } };
  const selector = wanted.zones.length === 0 ? {} : { selector: { dnsZones: wanted.zones } };
  const ingressClassName = answering(topology, wanted.ingressClass);
  const http = ingressClassName === undefined ? [] : [{ http01: { ingress: { ingressClassName } } }];
  const solvers =
    wanted.cloudflareToken === undefined
      ? http
      : [{ ...selector, dns01: dns }, ...(wanted.zones.length === 0 ? [] : http)];
  return [
    {
      apiVersion: "cert-manager.io/v1",
      kind: "ClusterIssuer",
      metadata: { name: "letsencrypt" },
      spec: {
        acme: {
          email: wanted.email,
          server: directory(wanted.staging),
          privateKeySecretRef: { name: "letsencrypt-account" },
          solvers,
        },
      },
    },
  ];
}

function plan(topology: Topology, settings: Settings) {
  const spot = spotFor(topology, settings.place, "anywhere");
  return { spot, replicas: settings.replicas ?? replicasIn(spot, 2) };
}

const spread = (component: string) =>
  spreadOverNodes({ "app.kubernetes.io/name": component, "app.kubernetes.io/instance": "cert-manager" });

/** cert-manager: certificates for what runs in the cluster. */
export const certManager = defineRelease({
  name: "cert-manager",
  section: "Certificates and secrets",
  summary: "certificates for what runs in the cluster, from Let's Encrypt or an authority of your own",
  home: "https://cert-manager.io/docs/installation/helm/",
  kind: "chart",
  namespace: "cert-manager",
  podSecurity: "restricted",
  timeoutSeconds: 600,
  schema,
  values: (topology, settings) => {
    const { spot, replicas: count } = plan(topology, settings);
    const shared = { replicaCount: count, nodeSelector: { "kubernetes.io/os": "linux", ...spot.nodeSelector } };
    return {
      // The CRDs are applied on their own, so that they are upgraded and so that they stay.
      crds: { enabled: false },
      ...shared,
      resources: resourcesOf(REQUESTS.controller),
      topologySpreadConstraints: spread("cert-manager"),
      webhook: { ...shared, resources: resourcesOf(REQUESTS.webhook), topologySpreadConstraints: spread("webhook") },
      cainjector: {
        ...shared,
        resources: resourcesOf(REQUESTS.cainjector, 256),
        topologySpreadConstraints: spread("cainjector"),
      },
      // One region's lease traffic stays in one namespace, and needs no rights in kube-system.
      global: { leaderElection: { namespace: "cert-manager" } },
      // The check of the API at the end of an install is what Pulumi waits for anyway, and its job needs another image.
      startupapicheck: { enabled: false },
    };
  },
  workloads: (topology, settings) => {
    const { spot, replicas: count } = plan(topology, settings);
    return Object.entries(REQUESTS).map(([name, requests]) => ({ name, replicas: count, requests, spot }));
  },
  secrets: (_topology, { issuer: wanted }) =>
    wanted?.cloudflareToken === undefined
      ? []
      : [{ name: TOKEN, entries: { "api-token": { text: wanted.cloudflareToken } } }],
  objects: issuer,
  problems,
});
