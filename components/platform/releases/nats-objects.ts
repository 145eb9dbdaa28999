import type { Manifest } from "../release.ts";

const NAMESPACE = "nats";
const SERVERS = { "app.kubernetes.io/name": "nats", "app.kubernetes.io/component": "nats" };
const NAMES: Readonly<Record<number, string>> = { 7422: "leafnodes", 7222: "gateway" };

/** The port for servers of one cluster asks for no password: only they reach it. */
export const routesForMembers: Manifest = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "nats-routes", namespace: NAMESPACE },
  spec: {
    podSelector: { matchLabels: SERVERS },
    policyTypes: ["Ingress"],
    ingress: [
      { ports: [4222, 7422, 7222, 8222].map((port) => ({ protocol: "TCP", port })) },
      { from: [{ podSelector: { matchLabels: SERVERS } }], ports: [{ protocol: "TCP", port: 6222 }] },
    ],
  },
};

/** The Service that leaf nodes and other regions come in by, on addresses of machines or of a load balancer. */
export const edgeService = (ports: readonly number[]): Manifest[] =>
  ports.length === 0
    ? []
    : [
        {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "nats-edge", namespace: NAMESPACE },
          spec: {
            type: "LoadBalancer",
            selector: SERVERS,
            ports: ports.map((port) => ({ name: NAMES[port], port, targetPort: port, protocol: "TCP" })),
          },
        },
      ];
