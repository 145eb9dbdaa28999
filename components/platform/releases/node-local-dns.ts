import type { z } from "zod";
import { isHost } from "../../network/names.ts";
import { text, type Rule } from "../../strict-schema.ts";
import { noValues } from "../no-values.ts";
import { defineRelease, type Manifest, type ReleaseProblem } from "../release.ts";
import { releaseSettings } from "../release-settings.ts";
import { type Place, type Spot, spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const RULES = {
  domain: { allowed: "a DNS name", fix: "write what kubernetes.config.cluster-domain says, or remove the setting" },
} as const satisfies Record<string, Rule>;

const REQUESTS: Requests = { cpu: 25, memory: 32 };
const IMAGE = "registry.k8s.io/dns/k8s-dns-node-cache:1.26.7";
/** The same on every node, and nowhere else. https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/ */
const LOCAL = "169.254.20.10";
const METRICS = 9253;
const HEALTH = 8080;

const schema = releaseSettings({
  domain: text(RULES.domain, isHost).default("cluster.local").describe("Domain of the cluster, as k3s was told"),
});
type Settings = z.output<typeof schema>;

const NAME = "node-local-dns";
const LABELS = { "k8s-app": NAME };
const metadata = { name: NAME, namespace: "kube-system", labels: LABELS };

/** The cache sets in what has this form itself: the address of the Service below, and the machine's own resolvers. */
const [CLUSTER, OUTSIDE] = ["__PILLAR__CLUSTER__DNS__", "__PILLAR__UPSTREAM__SERVERS__"];

function corefile({ clusterDns }: Topology, { domain }: Settings): string {
  const zone = (name: string, forward: string, cache: string, ...more: string[]): string =>
    [
      `${name}:53 {`,
      "    errors",
      `    cache ${cache}`,
      "    reload",
      "    loop",
      `    bind ${LOCAL} ${clusterDns}`,
      `    forward . ${forward}`,
      `    prometheus :${METRICS}`,
      ...more.map((line) => `    ${line}`),
      "}",
      "",
    ].join("\n");
  // Over TCP: one lost datagram on the way between sites costs a lookup five seconds.
  const inside = `${CLUSTER} {\n        force_tcp\n    }`;
  const twoAges = "{\n        success 9984 30\n        denial 9984 5\n    }";
  return [
    zone(domain, inside, twoAges, `health ${LOCAL}:${HEALTH}`),
    zone("in-addr.arpa", inside, "30"),
    zone("ip6.arpa", inside, "30"),
    zone(".", OUTSIDE, "30"),
  ].join("");
}

const container = ({ clusterDns }: Topology) => ({
  name: "node-cache",
  image: IMAGE,
  // It takes the address of the cluster's DNS on its node: pods and the kubelet keep asking as before.
  args: ["-localip", `${LOCAL},${clusterDns}`, "-conf", "/etc/Corefile", "-upstreamsvc", `${NAME}-upstream`],
  resources: resourcesOf(REQUESTS, 128),
  // An interface of its own, and rules that keep its answers out of connection tracking.
  securityContext: { capabilities: { add: ["NET_ADMIN"] } },
  ports: [
    { name: "dns", containerPort: 53, protocol: "UDP" },
    { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
    { name: "metrics", containerPort: METRICS, protocol: "TCP" },
  ],
  livenessProbe: {
    httpGet: { host: LOCAL, path: "/health", port: HEALTH },
    initialDelaySeconds: 60,
    timeoutSeconds: 5,
  },
  volumeMounts: [
    { name: "xtables-lock", mountPath: "/run/xtables.lock" },
    { name: "config", mountPath: "/etc/coredns" },
  ],
});

const everywhere = (topology: Topology, place: Place): Spot =>
  spotFor(topology, place, "every-node", [{ operator: "Exists" }]);

const daemon = (topology: Topology, { nodeSelector, tolerations }: Spot): Manifest => ({
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata,
  spec: {
    // While it is being replaced on a node, names are not resolved there: one node at a time.
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
    selector: { matchLabels: LABELS },
    template: {
      metadata: { labels: LABELS },
      spec: {
        priorityClassName: "system-node-critical",
        serviceAccountName: NAME,
        automountServiceAccountToken: false,
        hostNetwork: true,
        dnsPolicy: "Default",
        nodeSelector,
        tolerations,
        containers: [container(topology)],
        volumes: [
          { name: "xtables-lock", hostPath: { path: "/run/xtables.lock", type: "FileOrCreate" } },
          { name: "config", configMap: { name: NAME, items: [{ key: "Corefile", path: "Corefile.base" }] } },
        ],
      },
    },
  },
});

function problems({ cni }: Topology, { values }: Settings): ReleaseProblem[] {
  const cilium: ReleaseProblem = {
    path: "",
    found: "Cilium as the network",
    allowed: "flannel: Cilium sends what goes to the cluster's DNS past the cache on the node",
    fix: "remove platform.node-local-dns; https://docs.cilium.io/en/stable/network/kubernetes/local-redirect-policy/ is Cilium's own way",
  };
  return [...(cni === "cilium" ? [cilium] : []), ...noValues(values, "platform.node-local-dns.domain")];
}

/** NodeLocal DNSCache: each node answers names that it has heard lately, also while the way to the other site is cut. */
export const nodeLocalDns = defineRelease({
  name: NAME,
  section: "Ingress and load balancing",
  summary: "a cache of names on every node, so that not each lookup crosses the way between sites",
  home: "https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/",
  kind: "objects",
  namespace: "kube-system",
  podSecurity: "existing",
  timeoutSeconds: 300,
  schema,
  values: () => ({}),
  workloads: (topology, { place }) => [
    { name: NAME, replicas: "every-node", requests: REQUESTS, spot: everywhere(topology, place) },
  ],
  objects: (topology, settings) => [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...metadata, name: `${NAME}-upstream` },
      spec: {
        // The pods behind the cluster's DNS, at an address that no node takes for itself.
        selector: { "k8s-app": "kube-dns" },
        ports: [
          { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
          { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
        ],
      },
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { Corefile: corefile(topology, settings) } },
    daemon(topology, everywhere(topology, settings.place)),
  ],
  problems,
});
