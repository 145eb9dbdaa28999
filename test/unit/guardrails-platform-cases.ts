import type { Case } from "./guardrails-cases.ts";
import { TWO_SITES } from "./guardrails-room-cases.ts";

const bucket = {
  bucket: "backups-example",
  endpoint: "https://s3.example.net",
  accessKeyId: "example",
  secretAccessKey: "example",
};
const stretched = { synchronous: true };
const noStorage = { config: { "disable+": ["local-storage"] } };
const noTraefik = { config: { "disable+": ["traefik"] } };
/** Services get addresses of their own. */
const addressPool = { cni: "cilium", cilium: { loadBalancerPool: ["10.20.0.240-10.20.0.250"] } };
const gateway = { gateway: { host: "example.net" } };
/** The pool of the attic sleeps. */
const asleep = { attic: { pools: { agent: { intermittent: true } } } };

/** Cases of the guardrails that look at what releases ask of a region. */
export const platformCases: Readonly<Record<string, readonly Case[]>> = {
  "claimed-twice": [
    { title: "one ingress controller", settings: { platform: { traefik: {} } } },
    { title: "Gateways that are the user's to make", settings: { platform: { traefik: {}, "envoy-gateway": {} } } },
    {
      title: "two releases on the ports of the web",
      settings: { platform: { traefik: {}, "envoy-gateway": gateway } },
      findings: [
        "platform.envoy-gateway: found port 80, which platform.traefik has as well · allowed one release on each port · fix: give one of them another port, or remove one",
        "platform.envoy-gateway: found port 443, which platform.traefik has as well · allowed one release on each port · fix: give one of them another port, or remove one",
      ],
    },
    {
      title: "Envoy in the place of k3s's Traefik",
      settings: { kubernetes: noTraefik, platform: { "cert-manager": {}, "envoy-gateway": gateway } },
    },
    {
      title: "Envoy beside k3s's Traefik, of which settings say nothing",
      settings: { platform: { "cert-manager": {}, "envoy-gateway": gateway } },
      findings: [
        'platform.envoy-gateway: found port 80, which k3s\'s Traefik has as well · allowed one holder of each port · fix: write kubernetes.config: { "disable+": [traefik] }',
        'platform.envoy-gateway: found port 443, which k3s\'s Traefik has as well · allowed one holder of each port · fix: write kubernetes.config: { "disable+": [traefik] }',
      ],
    },
    {
      title: "Services with addresses of their own, which share no port",
      settings: {
        kubernetes: addressPool,
        platform: { "cert-manager": {}, traefik: {}, "envoy-gateway": gateway },
      },
    },
    {
      title: "Services that no balancer of k3s's puts on machines",
      settings: {
        kubernetes: { config: { "disable+": ["servicelb"] } },
        platform: { "cert-manager": {}, traefik: {}, "envoy-gateway": gateway },
      },
    },
    {
      title: "the API server for our rules, Kyverno for the user's policies",
      settings: { platform: { "admission-policies": {}, kyverno: { policies: [] } } },
    },
    {
      title: "a rule that two keep",
      settings: { platform: { "admission-policies": {}, kyverno: { policies: ["requests"] } } },
      findings: [
        "platform.kyverno: found the rule requests for pods, which platform.admission-policies has as well · allowed one release that keeps a rule, with one list of exceptions · fix: take it off policies of one of them; policies: [] leaves kyverno to policies of yours",
      ],
    },
  ],
  "missing-dependency": [
    { title: "no release" },
    {
      title: "everything that a release needs",
      settings: {
        platform: {
          "cert-manager": {},
          "cloudnative-pg": {},
          "plugin-barman-cloud": {},
          postgres: { clusters: { main: { backups: bucket } } },
        },
      },
    },
    {
      title: "an operator's plugin only where it is needed",
      settings: { platform: { "cloudnative-pg": {}, postgres: { clusters: { main: {} } } } },
    },
    {
      title: "clusters without their operator, backups without their plugin",
      settings: { platform: { postgres: { clusters: { main: { backups: bucket } } } } },
      findings: [
        "platform.postgres: found no platform.cloudnative-pg beside it · allowed postgres together with cloudnative-pg, which it needs · fix: add platform.cloudnative-pg: {}, or remove what needs it",
        "platform.postgres: found no platform.plugin-barman-cloud beside it · allowed postgres together with plugin-barman-cloud, which it needs · fix: add platform.plugin-barman-cloud: {}, or remove what needs it",
      ],
    },
  ],
  "release-problem": [
    { title: "Traefik where k3s brings it", settings: { platform: { traefik: {} } } },
    { title: "three servers of NATS, or one", settings: { platform: { nats: { replicas: 1 } } } },
    {
      title: "two servers of NATS",
      settings: { platform: { nats: { replicas: 2 } } },
      findings: [
        "platform.nats.replicas: found 2 · allowed an odd number: one server more than an odd number makes no majority safer · fix: write 1 or 3, or remove the setting",
      ],
    },
    {
      title: "Loki on two volumes",
      settings: { platform: { loki: { replicas: 3 } } },
      findings: [
        "platform.loki.replicas: found 3 without a bucket · allowed more than one replica only with platform.loki.bucket: a volume is read by one of them alone · fix: write platform.loki.bucket, or remove replicas",
      ],
    },
    {
      title: "policies for a namespace of Kubernetes itself",
      settings: { platform: { "network-policies": { namespaces: ["shop", "kube-system"] } } },
      findings: [
        "platform.network-policies.namespaces[1]: found kube-system · allowed namespaces beside those of Kubernetes itself · fix: remove it: the cluster's own pods talk to nodes and the API, which no policy of ours allows",
      ],
    },
    {
      title: "Traefik where k3s leaves it out",
      settings: { kubernetes: { config: { disable: "traefik,local-storage" } }, platform: { traefik: {} } },
      findings: [
        "platform.traefik: found settings for Traefik, which kubernetes.config.disable leaves out · allowed Traefik only where k3s brings it · fix: take traefik off kubernetes.config.disable, or remove platform.traefik",
      ],
    },
  ],
  "two-default-storage-classes": [
    { title: "k3s's own class alone", settings: { platform: { longhorn: {} } } },
    { title: "OpenEBS where k3s leaves its own out", settings: { kubernetes: noStorage, platform: { openebs: {} } } },
    {
      title: "OpenEBS where Services have addresses of their own",
      settings: { kubernetes: { ...addressPool, ...noStorage }, platform: { openebs: {} } },
    },
    {
      title: "the same with all that is left out in one list",
      settings: {
        kubernetes: { ...addressPool, config: { disable: ["servicelb", "local-storage"] } },
        platform: { openebs: {} },
      },
    },
    { title: "OpenEBS beside k3s's own, not as the default", settings: { platform: { openebs: { default: false } } } },
    {
      title: "OpenEBS beside k3s's own",
      settings: { platform: { openebs: {} } },
      findings: [
        'platform.openebs: found the default StorageClass, which k3s\'s local-path is as well · allowed one default StorageClass · fix: write kubernetes.config: { "disable+": [local-storage] }, or default: false here',
      ],
    },
    {
      title: "OpenEBS whose values say that it is not the default",
      settings: {
        platform: { openebs: { values: { "localpv-provisioner": { hostpathClass: { isDefaultClass: false } } } } },
      },
    },
    {
      title: "Longhorn whose values say that it is the default",
      settings: { platform: { longhorn: { values: { persistence: { defaultClass: true } } } } },
      findings: [
        'platform.longhorn: found the default StorageClass, which k3s\'s local-path is as well · allowed one default StorageClass · fix: write kubernetes.config: { "disable+": [local-storage] }, or default: false here',
      ],
    },
    {
      title: "two releases",
      settings: { kubernetes: noStorage, platform: { openebs: {}, longhorn: { default: true } } },
      findings: [
        "platform.longhorn: found the default StorageClass, which platform.openebs has as well · allowed one default StorageClass · fix: write default: false for one of them",
      ],
    },
  ],
  "volume-on-intermittent": [
    {
      title: "a database, which goes to the site that does not sleep",
      settings: { machines: TWO_SITES, siteSettings: asleep, platform: { postgres: { clusters: { main: {} } } } },
    },
    {
      title: "a database on the pool that sleeps",
      settings: {
        machines: TWO_SITES,
        siteSettings: asleep,
        platform: { postgres: { clusters: { main: {} }, place: { site: "attic" } } },
      },
      findings: [
        "platform.postgres: found a volume of main on the intermittent pool attic/agent · allowed volumes on pools whose machines stay · fix: write platform.postgres.place with a pool or a site that stays",
      ],
    },
    {
      title: "Longhorn, which goes to the site that does not sleep",
      settings: { machines: TWO_SITES, siteSettings: asleep, platform: { longhorn: {} } },
    },
    {
      title: "Longhorn's volumes on the pool that sleeps",
      settings: { machines: TWO_SITES, siteSettings: asleep, platform: { longhorn: { place: { site: "attic" } } } },
      findings: [
        "platform.longhorn: found data of volumes on the intermittent pool attic/agent · allowed volumes on pools whose machines stay · fix: write platform.longhorn.place with a pool or a site that stays",
      ],
    },
  ],
  "wan-replication": [
    {
      title: "copies in one site, which is where they go by themselves",
      settings: { machines: TWO_SITES, platform: { longhorn: {}, postgres: { clusters: { main: stretched } } } },
    },
    {
      title: "Longhorn over two sites",
      settings: { machines: TWO_SITES, platform: { longhorn: { place: { site: "any" } } } },
      findings: [
        "platform.longhorn: found volumes replicates synchronously over attic and rack · allowed synchronous replicas in one site · fix: write platform.longhorn.place.site with one of them, and send backups to the other",
      ],
    },
    {
      title: "PostgreSQL over two sites",
      settings: {
        machines: TWO_SITES,
        platform: { postgres: { clusters: { main: stretched }, place: { site: "any" } } },
      },
      findings: [
        "platform.postgres: found main replicates synchronously over attic and rack · allowed synchronous replicas in one site · fix: write platform.postgres.place.site with one of them, and send backups to the other",
      ],
    },
  ],
};
