import { z } from "zod";
import { strict } from "../../strict-schema.ts";
import { nodeAlerts, REPLACED_ALERTS } from "../node-alerts.ts";
import { nodeDashboard } from "../node-dashboard.ts";
import { defineRelease, type Manifest, type SecretDefinition, type Values } from "../release.ts";
import { days, releaseSettings, size, word } from "../release-settings.ts";
import { NODE_LABELS, type Spot, spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { openIdConnect, pageAnnotations, pageHost, pageNeeds, pageProblems, pageTls, webPage } from "../web-page.ts";
import { resourcesOf, type Requests, type Workload } from "../workload.ts";

const NAMESPACE = "monitoring";
const REQUESTS = {
  prometheus: { cpu: 150, memory: 768 },
  alertmanager: { cpu: 10, memory: 48 },
  grafana: { cpu: 50, memory: 192 },
  sidecar: { cpu: 10, memory: 80 },
  operator: { cpu: 20, memory: 96 },
  "state-metrics": { cpu: 10, memory: 64 },
  "node-exporter": { cpu: 10, memory: 32 },
  reloader: { cpu: 10, memory: 32 },
} as const satisfies Record<string, Requests>;
const ADMIN = "grafana-admin";
const LOGIN = "grafana-login";
/** What alerts and Grafana itself keep. GiB. */
const SMALL_VOLUME = 1;

const schema = releaseSettings({
  retention: days().default(10).describe("Days that measurements are kept; what the volume holds counts as well"),
  size: size().prefault("20GiB").describe("Volume of Prometheus"),
  storageClass: word().optional().describe("StorageClass of its volumes; left out: the cluster's default"),
  grafana: strict({
    host: pageHost(),
    ...webPage,
    singleSignOn: strict({
      ...openIdConnect("grafana"),
      adminRole: word()
        .default("grafana-admin")
        .describe(
          "Role of the realm whose holders are administrators. Keycloak's scope `roles` writes it into the access token, where Grafana finds it; a client with lightweight access tokens needs a mapper that writes realm_access.roles into the ID token",
        ),
    })
      .optional()
      .describe("Login through Keycloak; left out: the user admin alone"),
  })
    .prefault({})
    .describe("Its pages"),
});
type Settings = z.output<typeof schema>;

/** Its data stays in one site; what measures nodes is on all of them. */
const spots = (topology: Topology, { place }: Settings): { steady: Spot; everywhere: Spot } => ({
  steady: spotFor(topology, place, "steady"),
  // Machines that are reserved for something fill up as well.
  everywhere: spotFor(topology, {}, "every-node", [{ operator: "Exists", effect: "NoSchedule" }]),
});

const claim = (gib: number, storageClass: string | undefined) => ({
  spec: {
    accessModes: ["ReadWriteOnce"],
    ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
    resources: { requests: { storage: `${gib}Gi` } },
  },
});

function prometheus({ region }: Topology, { nodeSelector }: Spot, settings: Settings): Values {
  return {
    prometheusSpec: {
      // Names the region in alerts, and where measurements are sent on.
      externalLabels: { region },
      retention: `${settings.retention}d`,
      // Without a size it fills its volume, and then starts no more.
      retentionSize: `${Math.floor(settings.size * 0.8 * 1024)}MiB`,
      storageSpec: { volumeClaimTemplate: claim(settings.size, settings.storageClass) },
      nodeSelector,
      resources: resourcesOf(REQUESTS.prometheus, 2048),
      // Every monitor and rule of the cluster counts, whichever release or folder it came with.
      ...Object.fromEntries(
        ["ruleSelector", "serviceMonitorSelector", "podMonitorSelector", "probeSelector", "scrapeConfigSelector"].map(
          (name) => [`${name}NilUsesHelmValues`, false],
        ),
      ),
    },
  };
}

function signOn({ grafana: { host, singleSignOn } }: Settings): Values {
  if (singleSignOn === undefined) return {};
  const { issuer, clientId, adminRole } = singleSignOn;
  const endpoint = (name: string): string => `${issuer}/protocol/openid-connect/${name}`;
  return {
    envFromSecret: LOGIN,
    "grafana.ini": {
      ...(host === undefined ? {} : { server: { root_url: `https://${host}` } }),
      "auth.generic_oauth": {
        enabled: true,
        name: "Keycloak",
        client_id: clientId,
        scopes: "openid email profile roles",
        auth_url: endpoint("auth"),
        token_url: endpoint("token"),
        api_url: endpoint("userinfo"),
        use_pkce: true,
        // Asked of the ID token, of userinfo, and then of the access token. Keycloak has roles in the last alone: where
        // there are none this is an error, which is no answer, and the next one is asked; `Viewer` would be an answer.
        // https://github.com/grafana/grafana/blob/v13.2.0/pkg/login/social/connectors/generic_oauth.go
        role_attribute_path: `contains(realm_access.roles[*], '${adminRole}') && 'Admin' || 'Viewer'`,
      },
    },
  };
}

function grafana({ nodeSelector }: Spot, settings: Settings): Values {
  const { host, ingressClass } = settings.grafana;
  return {
    admin: { existingSecret: ADMIN, userKey: "admin-user", passwordKey: "admin-password" },
    nodeSelector,
    resources: resourcesOf(REQUESTS.grafana, 512),
    // What people save outlives the pod; one volume has one pod at a time.
    persistence: {
      enabled: true,
      size: `${SMALL_VOLUME}Gi`,
      ...(settings.storageClass === undefined ? {} : { storageClassName: settings.storageClass }),
    },
    deploymentStrategy: { type: "Recreate" },
    // It runs as root to change who owns a folder that the kubelet gives to the right group already.
    initChownData: { enabled: false },
    testFramework: { enabled: false },
    // Loki says in its own namespace where it is.
    sidecar: { resources: resourcesOf(REQUESTS.sidecar, 256), datasources: { searchNamespace: "ALL" } },
    ...(host === undefined
      ? {}
      : {
          ingress: {
            enabled: true,
            ingressClassName: ingressClass,
            hosts: [host],
            tls: pageTls(settings.grafana, host, "grafana-tls"),
            annotations: pageAnnotations(settings.grafana),
          },
        }),
    ...signOn(settings),
  };
}

/** k3s runs these in its own process: their metrics are in what the kubelet and the API server show, at no address of their own. */
const INSIDE_K3S = Object.fromEntries(
  ["kubeControllerManager", "kubeScheduler", "kubeProxy", "kubeEtcd"].map((name) => [name, { enabled: false }]),
);
const RULES_WITHOUT_TARGET = [
  "etcd",
  "kubeControllerManager",
  "kubeProxy",
  "kubeSchedulerAlerting",
  "kubeSchedulerRecording",
  "windows",
];

function values(topology: Topology, settings: Settings): Values {
  const { steady, everywhere } = spots(topology, settings);
  const { nodeSelector } = steady;
  return {
    // They are applied on their own, so that they are upgraded.
    crds: { enabled: false },
    ...INSIDE_K3S,
    defaultRules: {
      rules: Object.fromEntries(RULES_WITHOUT_TARGET.map((name) => [name, false])),
      disabled: Object.fromEntries(REPLACED_ALERTS.map((name) => [name, true])),
    },
    prometheus: prometheus(topology, steady, settings),
    alertmanager: {
      alertmanagerSpec: {
        storage: { volumeClaimTemplate: claim(SMALL_VOLUME, settings.storageClass) },
        nodeSelector,
        resources: resourcesOf(REQUESTS.alertmanager, 128),
      },
    },
    grafana: grafana(steady, settings),
    prometheusOperator: {
      nodeSelector,
      resources: resourcesOf(REQUESTS.operator, 256),
      prometheusConfigReloader: { resources: resourcesOf(REQUESTS.reloader) },
      admissionWebhooks: { patch: { nodeSelector } },
    },
    "kube-state-metrics": {
      nodeSelector,
      resources: resourcesOf(REQUESTS["state-metrics"], 256),
      // Where a node stands, and whether it may sleep: the dashboard and the alerts go by it.
      metricLabelsAllowlist: [`nodes=[${Object.values(NODE_LABELS).join(",")}]`],
    },
    "prometheus-node-exporter": {
      tolerations: everywhere.tolerations,
      resources: resourcesOf(REQUESTS["node-exporter"], 96),
      prometheus: {
        // Names the node as kube-state-metrics does: without it an address stands there, which changes.
        monitor: { relabelings: [{ sourceLabels: ["__meta_kubernetes_pod_node_name"], targetLabel: "node" }] },
      },
    },
  };
}

function workloads(topology: Topology, settings: Settings): Workload[] {
  const { steady, everywhere } = spots(topology, settings);
  const pods = (...parts: readonly Requests[]): Requests => ({
    cpu: parts.reduce((sum, { cpu }) => sum + cpu, 0),
    memory: parts.reduce((sum, { memory }) => sum + memory, 0),
  });
  const one = (name: string, requests: Requests, volumeGiB?: number): Workload => ({
    name,
    replicas: 1,
    requests,
    spot: steady,
    ...(volumeGiB === undefined ? {} : { volumeGiB }),
  });
  return [
    one("prometheus", pods(REQUESTS.prometheus, REQUESTS.reloader), settings.size),
    one("alertmanager", pods(REQUESTS.alertmanager, REQUESTS.reloader), SMALL_VOLUME),
    one("grafana", pods(REQUESTS.grafana, REQUESTS.sidecar, REQUESTS.sidecar), SMALL_VOLUME),
    one("operator", REQUESTS.operator),
    one("state-metrics", REQUESTS["state-metrics"]),
    { name: "node-exporter", replicas: "every-node", requests: REQUESTS["node-exporter"], spot: everywhere },
  ];
}

function secrets({ grafana: { singleSignOn } }: Settings): SecretDefinition[] {
  const admin = { name: ADMIN, entries: { "admin-user": { text: "admin" }, "admin-password": { password: 32 } } };
  if (singleSignOn === undefined) return [admin];
  const secret = { GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET: { text: singleSignOn.clientSecret } };
  return [admin, { name: LOGIN, entries: secret }];
}

const dashboard = ({ region }: Topology): Manifest => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "hybrid-k3s-nodes", namespace: NAMESPACE, labels: { grafana_dashboard: "1" } },
  data: { "nodes-by-site.json": nodeDashboard(region) },
});

/** Prometheus, Alertmanager and Grafana, with what measures nodes and objects. */
export const kubePrometheusStack = defineRelease({
  name: "kube-prometheus-stack",
  section: "Observability",
  summary:
    "Prometheus, Alertmanager and Grafana in one site, with dashboards by site and alerts that let a laptop sleep",
  home: "https://github.com/prometheus-community/helm-charts/tree/main/charts/kube-prometheus-stack",
  kind: "chart",
  namespace: NAMESPACE,
  // node-exporter reads the machines' own files and is on their network.
  podSecurity: "privileged",
  timeoutSeconds: 900,
  schema,
  needs: ({ grafana: page }) => pageNeeds(page),
  problems: (_topology, { grafana: page }) =>
    pageProblems(page, {
      "grafana.singleSignOn": page.singleSignOn,
      "grafana.clusterIssuer": page.clusterIssuer,
    }),
  values,
  workloads,
  podAnnotations: (podAnnotations) => ({ grafana: { podAnnotations } }),
  secrets: (_topology, settings) => secrets(settings),
  objects: (topology) => [dashboard(topology), nodeAlerts(NAMESPACE)],
});
