import type { z } from "zod";
import { strict } from "../../strict-schema.ts";
import { balancerAnnotations, ingressSpot } from "../ingress-spot.ts";
import { defineRelease, type Manifest, type ReleaseProblem } from "../release.ts";
import { hostname, kubernetesName, releaseSettings } from "../release-settings.ts";
import { spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const NAMESPACE = "envoy-gateway-system";
const REQUESTS = {
  controller: { cpu: 50, memory: 128 },
  proxy: { cpu: 50, memory: 128 },
  /** Of the container beside each proxy, as Envoy Gateway has it. */
  shutdown: { cpu: 10, memory: 32 },
} as const satisfies Record<string, Requests>;
const CLASS = "envoy";
const GATEWAY = "main";
/** The issuer that the settings of cert-manager make. */
const LETSENCRYPT = "letsencrypt";
const HTTP = 80;
const HTTPS = 443;

const schema = releaseSettings({
  gateway: strict({
    host: hostname().describe("DNS name that it answers for, with every name one level below it"),
    clusterIssuer: kubernetesName()
      .default(LETSENCRYPT)
      .describe("ClusterIssuer of cert-manager that signs its certificates, one of them for a wildcard"),
  })
    .optional()
    .describe(
      "A Gateway on ports 80 and 443 of the nodes that take requests from outside; left out: Gateways are yours to make",
    ),
});
type Settings = z.output<typeof schema>;

const gatewayClass: Manifest = {
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "GatewayClass",
  metadata: { name: CLASS },
  spec: { controllerName: "gateway.envoyproxy.io/gatewayclass-controller" },
};

/**
 * What it answers for over TLS, each with a certificate of its own: where one certificate were good for both, a browser
 * would ask for one name on a connection to the other, and Envoy Gateway takes HTTP/2 away from both for it.
 * https://gateway-api.sigs.k8s.io/geps/gep-3567/
 */
const secured = (host: string) => [
  { listener: "https", secret: "main-tls", name: host },
  { listener: "https-below", secret: "main-below-tls", name: `*.${host}` },
];

/** Objects of our own: cert-manager looks at Gateways only where it is started with `enableGatewayAPI`, which it is not. */
const certificates = ({ gateway: wanted }: Settings): Manifest[] =>
  wanted === undefined
    ? []
    : secured(wanted.host).map(({ secret, name }) => ({
        apiVersion: "cert-manager.io/v1",
        kind: "Certificate",
        metadata: { name: secret, namespace: NAMESPACE },
        spec: {
          secretName: secret,
          dnsNames: [name],
          issuerRef: { group: "cert-manager.io", kind: "ClusterIssuer", name: wanted.clusterIssuer },
        },
      }));

/** A wildcard is proved by DNS alone. https://letsencrypt.org/docs/challenge-types/ */
function problems({ dnsProven }: Topology, { gateway: wanted }: Settings): ReleaseProblem[] {
  if (wanted?.clusterIssuer !== LETSENCRYPT) return [];
  const { host } = wanted;
  const within = (zone: string): boolean => host === zone || host.endsWith(`.${zone}`);
  if (dnsProven === "all" || dnsProven?.some(within) === true) return [];
  const issuer = "platform.cert-manager.issuer";
  const why =
    dnsProven === undefined
      ? `no ${issuer}, which makes the ClusterIssuer ${LETSENCRYPT}`
      : dnsProven.length === 0
        ? `an issuer without a cloudflareToken, which proves names over HTTP`
        : `no zone of ${issuer}.zones that it is in`;
  return [
    {
      path: "gateway.host",
      found: `${host} with ${why}`,
      allowed: "a host with an issuer that proves names by DNS: *.host is proved by nothing else",
      fix: `write ${issuer}.cloudflareToken for the host's zone, or gateway.clusterIssuer for an issuer of your own`,
    },
  ];
}

/**
 * One proxy on each node that takes requests: a node without would answer none, for senders' addresses are kept.
 * https://gateway.envoyproxy.io/docs/api/extension_types/#envoyproxy
 */
function proxies(topology: Topology, { place }: Settings): Manifest {
  const spot = ingressSpot(topology, place);
  return {
    apiVersion: "gateway.envoyproxy.io/v1alpha1",
    kind: "EnvoyProxy",
    metadata: { name: GATEWAY, namespace: NAMESPACE },
    spec: {
      provider: {
        type: "Kubernetes",
        kubernetes: {
          envoyDaemonSet: {
            pod: { nodeSelector: spot.nodeSelector, tolerations: spot.tolerations },
            container: { resources: resourcesOf(REQUESTS.proxy, 512) },
          },
          envoyService: { externalTrafficPolicy: "Local", annotations: balancerAnnotations(spot) },
        },
      },
    },
  };
}

function gateway(topology: Topology, settings: Settings): Manifest[] {
  const { gateway: wanted } = settings;
  if (wanted === undefined) return [];
  // Routes of every namespace may join it: who may make a route is the namespace's own matter.
  const allowedRoutes = { namespaces: { from: "All" } };
  return [
    proxies(topology, settings),
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      metadata: { name: GATEWAY, namespace: NAMESPACE },
      spec: {
        gatewayClassName: CLASS,
        infrastructure: { parametersRef: { group: "gateway.envoyproxy.io", kind: "EnvoyProxy", name: GATEWAY } },
        listeners: [
          { name: "http", protocol: "HTTP", port: HTTP, allowedRoutes },
          ...secured(wanted.host).map(({ listener, secret, name }) => ({
            name: listener,
            protocol: "HTTPS",
            port: HTTPS,
            hostname: name,
            tls: { mode: "Terminate", certificateRefs: [{ name: secret }] },
            allowedRoutes,
          })),
        ],
      },
    },
  ];
}

/** Envoy Gateway: the Gateway API, by Envoy. */
export const envoyGateway = defineRelease({
  name: "envoy-gateway",
  section: "Ingress and load balancing",
  summary: "the Gateway API by Envoy, where Ingress is too little; it takes Traefik's place on ports 80 and 443",
  home: "https://gateway.envoyproxy.io/docs/install/install-helm/",
  kind: "chart",
  namespace: NAMESPACE,
  podSecurity: "restricted",
  timeoutSeconds: 600,
  schema,
  needs: ({ gateway: wanted }) => (wanted === undefined ? [] : ["cert-manager"]),
  values: (topology, settings) => {
    const { nodeSelector } = spotFor(topology, settings.place, "anywhere");
    return {
      deployment: {
        envoyGateway: { resources: resourcesOf(REQUESTS.controller, 512) },
        pod: { nodeSelector },
      },
      // Proxies answer from the zone that asks, where one is there.
      service: { trafficDistribution: "PreferSameZone" },
      certgen: { job: { nodeSelector, resources: resourcesOf({ cpu: 10, memory: 32 }) } },
    };
  },
  workloads: (topology, settings) => {
    const spot = spotFor(topology, settings.place, "anywhere");
    return [
      { name: "controller", replicas: 1, requests: REQUESTS.controller, spot },
      ...(settings.gateway === undefined
        ? []
        : [
            {
              name: "proxy",
              replicas: "every-node" as const,
              requests: {
                cpu: REQUESTS.proxy.cpu + REQUESTS.shutdown.cpu,
                memory: REQUESTS.proxy.memory + REQUESTS.shutdown.memory,
              },
              spot: ingressSpot(topology, settings.place),
            },
          ]),
    ];
  },
  objects: (topology, settings) => [gatewayClass, ...certificates(settings), ...gateway(topology, settings)],
  claims: (_topology, settings) => (settings.gateway === undefined ? {} : { ports: [HTTP, HTTPS] }),
  problems,
});
