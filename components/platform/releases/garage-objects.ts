import type { Manifest } from "../release.ts";
import type { Spot } from "../spot.ts";
import { type Requests, resourcesOf } from "../workload.ts";
import { restrictedPodOf } from "../security-context.ts";

/** The namespace of Garage. */
export const NAMESPACE = "garage";
/** What Garage's nodes know each other by, and who may look after them. */
export const SECRET = "garage-secrets";
/** Version 2 of Garage keeps its form of configuration. https://garagehq.deuxfleurs.fr/documentation/reference-manual/configuration/ */
const IMAGE = "dxflrs/garage:v2.3.0";
/** Volume of each node for what it knows of objects. GiB. */
export const METADATA_GIB = 2;
/** What a node of Garage asks for. */
export const REQUESTS: Requests = { cpu: 50, memory: 256 };

const LABELS = { "app.kubernetes.io/name": "garage" };
const PORTS = { s3: 3900, rpc: 3901, web: 3902, admin: 3903 } as const;

/** Garage's nodes of one site: a zone of its own. */
export interface GarageZone {
  readonly site: string;
  readonly nodes: number;
  readonly spot: Spot;
}

/** What is the same for all zones. */
export interface GarageStore {
  readonly region: string;
  readonly replicationFactor: number;
  /** GiB. */
  readonly size: number;
  readonly storageClass?: string | undefined;
}

/** Where nodes write their addresses for the others; Garage would make it itself with rights on all definitions. */
const definition: Manifest = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "garagenodes.deuxfleurs.fr" },
  spec: {
    group: "deuxfleurs.fr",
    names: { kind: "GarageNode", listKind: "GarageNodeList", plural: "garagenodes", singular: "garagenode" },
    scope: "Namespaced",
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            required: ["spec"],
            properties: {
              spec: {
                type: "object",
                required: ["address", "hostname", "port"],
                properties: {
                  address: { type: "string", format: "ip" },
                  hostname: { type: "string" },
                  port: { type: "integer", format: "uint16", minimum: 0 },
                },
              },
            },
          },
        },
      },
    ],
  },
};

const metadata = { name: "garage", namespace: NAMESPACE };

const rights: readonly Manifest[] = [
  { apiVersion: "v1", kind: "ServiceAccount", metadata },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata,
    rules: [
      {
        apiGroups: ["deuxfleurs.fr"],
        resources: ["garagenodes"],
        verbs: ["get", "list", "watch", "create", "update", "patch", "delete"],
      },
    ],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata,
    subjects: [{ kind: "ServiceAccount", name: "garage", namespace: NAMESPACE }],
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "garage" },
  },
];

const configuration = ({ region, replicationFactor }: GarageStore): Manifest => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata,
  data: {
    "garage.toml": `metadata_dir = "/mnt/meta"
data_dir = "/mnt/data"
db_engine = "lmdb"
# A machine that loses power can leave the metadata unreadable: a copy of it stays beside it.
metadata_auto_snapshot_interval = "6h"
replication_factor = ${replicationFactor}
rpc_bind_addr = "[::]:${PORTS.rpc}"

[kubernetes_discovery]
namespace = "${NAMESPACE}"
service_name = "garage"
skip_crd = true

[s3_api]
s3_region = "${region}"
api_bind_addr = "[::]:${PORTS.s3}"

[s3_web]
bind_addr = "[::]:${PORTS.web}"
root_domain = ".web.garage.localhost"
index = "index.html"

[admin]
api_bind_addr = "[::]:${PORTS.admin}"
`,
  },
});

const ports = (names: readonly (keyof typeof PORTS)[]) =>
  names.map((name) => ({ name, port: PORTS[name], targetPort: name, protocol: "TCP" }));

const services: readonly Manifest[] = [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    // Every node answers for all of them: the near one does it without the line between the sites.
    spec: { selector: LABELS, ports: ports(["s3", "web", "admin"]), trafficDistribution: "PreferSameZone" },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "garage-nodes", namespace: NAMESPACE },
    // Nodes find each other before they are ready for others.
    spec: { clusterIP: "None", publishNotReadyAddresses: true, selector: LABELS, ports: ports(["rpc"]) },
  },
];

const volume = (name: string, gib: number, storageClass: string | undefined) => ({
  metadata: { name },
  spec: {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: `${gib}Gi` } },
    ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
  },
});

const container = {
  name: "garage",
  image: IMAGE,
  env: [
    { name: "GARAGE_RPC_SECRET", valueFrom: { secretKeyRef: { name: SECRET, key: "rpc" } } },
    { name: "GARAGE_ADMIN_TOKEN", valueFrom: { secretKeyRef: { name: SECRET, key: "admin" } } },
  ],
  ports: Object.entries(PORTS).map(([name, containerPort]) => ({ name, containerPort })),
  // Not its own /health: that is an error until the layout is made, which needs nodes that run.
  readinessProbe: { tcpSocket: { port: "s3" } },
  resources: resourcesOf(REQUESTS, 1024),
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, readOnlyRootFilesystem: true },
  volumeMounts: [
    { name: "configuration", mountPath: "/etc/garage.toml", subPath: "garage.toml", readOnly: true },
    { name: "meta", mountPath: "/mnt/meta" },
    { name: "data", mountPath: "/mnt/data" },
  ],
};

const podSpec = (spot: Spot) => ({
  serviceAccountName: "garage",
  nodeSelector: spot.nodeSelector,
  // Copies on two nodes of one machine are lost together.
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: LABELS } },
      ],
    },
  },
  securityContext: restrictedPodOf(1000),
  containers: [container],
  volumes: [{ name: "configuration", configMap: { name: "garage" } }],
});

function nodes({ site, nodes: count, spot }: GarageZone, store: GarageStore): Manifest {
  const labels = { ...LABELS, "garage.deuxfleurs.fr/zone": site };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: `garage-${site}`, namespace: NAMESPACE },
    spec: {
      replicas: count,
      serviceName: "garage-nodes",
      podManagementPolicy: "Parallel",
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels,
          // Garage reads its file once: another one must begin another pod.
          annotations: { "hybrid-k3s.io/configuration": `${store.region} ${store.replicationFactor}` },
        },
        spec: podSpec(spot),
      },
      volumeClaimTemplates: [
        volume("meta", METADATA_GIB, store.storageClass),
        volume("data", store.size, store.storageClass),
      ],
    },
  };
}

/** All objects of Garage. */
export const garageObjects = (zones: readonly GarageZone[], store: GarageStore): Manifest[] => [
  definition,
  ...rights,
  configuration(store),
  ...services,
  ...zones.map((zone) => nodes(zone, store)),
];
