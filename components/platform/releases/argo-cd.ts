import { z } from "zod";
import { type Rule, saying, strict, text } from "../../strict-schema.ts";
import {
  ARGO_NAMESPACE,
  closedDefaultProject,
  handedOverProjects,
  IN_CLUSTER,
  ROOT,
  rootProject,
} from "../hand-over.ts";
import { gitHost, isSshRepository, knowsHost } from "../git-host.ts";
import { defineRelease, type Manifest, type ReleaseProblem, type SecretDefinition, type Values } from "../release.ts";
import { flag, releaseSettings, repository, word } from "../release-settings.ts";
import { spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { groupName, openIdConnect, pageAnnotations, pageHost, pageNeeds, pageProblems, webPage } from "../web-page.ts";
import { resourcesOf, type Requests, type Workload } from "../workload.ts";
import { yamlText } from "../../yaml-text.ts";

const RULES = {
  path: {
    allowed: "a path inside of the repository, such as root",
    fix: "write it without a / at its ends and without ..",
  },
  hostKey: {
    allowed: "lines as known_hosts has them: name, kind of key, key",
    fix: "ssh-keyscan <host>, and compare with what the host itself says",
  },
} as const satisfies Record<string, Rule>;

const HOST_KEY = /^(\[[\w.-]+\]:\d+|[\w.-]+) (ssh|ecdsa|sk)-[\w@.-]+ [A-Za-z0-9+/]+=*$/;

const REQUESTS = {
  controller: { cpu: 100, memory: 384 },
  "repo-server": { cpu: 50, memory: 192 },
  server: { cpu: 20, memory: 96 },
  applicationset: { cpu: 10, memory: 64 },
} as const satisfies Record<string, Requests>;
const REDIS = { cpu: 20, memory: 64 } as const;
/** What runs for a moment before something else. */
const SIDE = { cpu: 10, memory: 64 } as const;
const REDIS_HA = {
  redis: REDIS,
  sentinel: { cpu: 10, memory: 32 },
  guard: { cpu: 10, memory: 16 },
  haproxy: { cpu: 10, memory: 96 },
} as const;

const schema = releaseSettings({
  repository: strict({
    url: repository().describe(
      "Its address. Over SSH, the stack makes a deploy key that may only read: paste the output publicKeys into the repository; over https it must be readable without a password",
    ),
    path: text(RULES.path, (value) => /^[\w.-]+(\/[\w.-]+)*$/.test(value) && !value.split("/").includes(".."))
      .default("root")
      .describe("Folder that the root application follows"),
    revision: word().default("HEAD").describe("Branch or tag that it follows; HEAD: the repository's own default"),
    hostKeys: z
      .array(
        text(RULES.hostKey, (value) => HOST_KEY.test(value)),
        saying(RULES.hostKey),
      )
      .default([])
      .describe(
        "Lines of known_hosts of a host that Argo CD does not know: it knows GitHub, GitLab, Bitbucket and Azure",
      ),
  })
    .optional()
    .describe("The config repository; `npm run gitops:init` writes its skeleton. Left out: no root application"),
  host: pageHost(),
  ...webPage,
  singleSignOn: strict({
    ...openIdConnect("argocd"),
    adminGroup: groupName()
      .default("argocd-admins")
      .describe("Group whose members may do everything; others see nothing until values give them a role"),
  })
    .optional()
    .describe("Login through Keycloak, with the scope `groups`; left out: the user admin alone"),
  highAvailability: flag()
    .default(false)
    .describe(
      "Whether it survives the loss of a machine at once: three of Redis, on machines of their own, two of the rest",
    ),
});
type Settings = z.output<typeof schema>;

const REPOSITORY_SECRET = "config-repository";
const LOGIN_SECRET = "single-sign-on";

/** What the controller does not look at: the chart's own list, and what k3s would carry past the projects. */
const EXCLUSIONS = [
  { apiGroups: ["", "discovery.k8s.io"], kinds: ["Endpoints", "EndpointSlice"] },
  { apiGroups: ["coordination.k8s.io"], kinds: ["Lease"] },
  {
    apiGroups: ["authentication.k8s.io", "authorization.k8s.io"],
    kinds: [
      "SelfSubjectReview",
      "TokenReview",
      "LocalSubjectAccessReview",
      "SelfSubjectAccessReview",
      "SelfSubjectRulesReview",
      "SubjectAccessReview",
    ],
  },
  { apiGroups: ["certificates.k8s.io"], kinds: ["CertificateSigningRequest"] },
  { apiGroups: ["cert-manager.io"], kinds: ["CertificateRequest"] },
  { apiGroups: ["cilium.io"], kinds: ["CiliumIdentity", "CiliumEndpoint", "CiliumEndpointSlice"] },
  {
    apiGroups: ["kyverno.io", "reports.kyverno.io", "wgpolicyk8s.io"],
    kinds: [
      "PolicyReport",
      "ClusterPolicyReport",
      "EphemeralReport",
      "ClusterEphemeralReport",
      "AdmissionReport",
      "ClusterAdmissionReport",
      "BackgroundScanReport",
      "ClusterBackgroundScanReport",
      "UpdateRequest",
    ],
  },
  // k3s installs what a HelmChart says into any namespace, as administrator: a way around every project.
  { apiGroups: ["helm.cattle.io"], kinds: ["HelmChart", "HelmChartConfig"] },
  // k3s writes these itself.
  { apiGroups: ["k3s.cattle.io"], kinds: ["Addon", "ETCDSnapshotFile"] },
];

const oidc = ({ issuer, clientId }: NonNullable<Settings["singleSignOn"]>): string =>
  yamlText({
    name: "Keycloak",
    issuer,
    clientID: clientId,
    // Argo CD reads it from a Secret that carries its label.
    clientSecret: `$${LOGIN_SECRET}:clientSecret`,
    requestedScopes: ["openid", "profile", "email", "groups"],
    // Keycloak's tokens live five minutes.
    refreshTokenThreshold: "2m",
  });

function configs({ host, singleSignOn: login, repository: git }: Settings): Values {
  return {
    cm: {
      // Said, so that no other version's default tells apart by labels, which charts set as they like.
      "application.resourceTrackingMethod": "annotation",
      "resource.exclusions": yamlText(EXCLUSIONS),
      ...(login === undefined ? {} : { "oidc.config": oidc(login) }),
    },
    params: {
      // TLS ends at the ingress.
      ...(host === undefined ? {} : { "server.insecure": true }),
      // Half of the defaults: small machines, one cluster.
      "controller.status.processors": 10,
      "controller.operation.processors": 5,
      // Without a limit, a push that touches every folder renders all of them at once, and memory ends it.
      "reposerver.parallelism.limit": 4,
    },
    ...(login === undefined ? {} : { rbac: { "policy.csv": `g, ${login.adminGroup}, role:admin\n` } }),
    ...(git === undefined || git.hostKeys.length === 0 ? {} : { ssh: { extraHosts: git.hostKeys.join("\n") } }),
  };
}

function server(settings: Settings): Values {
  const { host, ingressClass, highAvailability } = settings;
  return {
    replicas: highAvailability ? 2 : 1,
    resources: resourcesOf(REQUESTS.server, 384),
    // Passwords are typed into it: never without TLS.
    ...(host === undefined
      ? {}
      : {
          ingress: {
            enabled: true,
            ingressClassName: ingressClass,
            hostname: host,
            tls: true,
            annotations: pageAnnotations(settings),
          },
        }),
  };
}

function redis(highAvailability: boolean, nodeSelector: Values): Values {
  // A cache: what is lost is made again. One is enough where a minute without it does no harm.
  const once = { redisSecretInit: { resources: resourcesOf(SIDE) } };
  if (!highAvailability) return { ...once, redis: { resources: resourcesOf(REDIS, 256) } };
  return {
    ...once,
    "redis-ha": {
      enabled: true,
      nodeSelector,
      redis: { resources: resourcesOf(REDIS_HA.redis, 256) },
      splitBrainDetection: { resources: resourcesOf(REDIS_HA.guard) },
      init: { resources: resourcesOf(SIDE) },
      sentinel: { resources: resourcesOf(REDIS_HA.sentinel) },
      haproxy: { nodeSelector, init: { resources: resourcesOf(SIDE) }, resources: resourcesOf(REDIS_HA.haproxy, 256) },
    },
  };
}

// Its parts ask each other all the time, Redis above all: they stay in one site.
const spotOf = (topology: Topology, { place }: Settings) => spotFor(topology, place, "steady");

function values(topology: Topology, settings: Settings): Values {
  const { highAvailability, host } = settings;
  const nodeSelector = { "kubernetes.io/os": "linux", ...spotOf(topology, settings).nodeSelector };
  return {
    // The CRDs are applied on their own, so that they are upgraded and so that they stay.
    crds: { install: false },
    // The names that its documentation uses, such as the Service argocd-server.
    fullnameOverride: "argocd",
    // Where it is linked to; without a host, where `kubectl port-forward` leads.
    global: { domain: host ?? "localhost:8080", nodeSelector },
    configs: configs(settings),
    // Argo CD makes this project itself, open for everything, unless it is there when the server starts.
    extraObjects: [closedDefaultProject],
    controller: { resources: resourcesOf(REQUESTS.controller, 1536) },
    repoServer: {
      replicas: highAvailability ? 2 : 1,
      // Rendering a large chart takes several times what waiting does.
      resources: resourcesOf(REQUESTS["repo-server"], 1024),
      copyutil: { resources: resourcesOf(SIDE) },
      service: { trafficDistribution: "PreferSameZone" },
    },
    server: server(settings),
    applicationSet: { replicas: 1, resources: resourcesOf(REQUESTS.applicationset, 256) },
    ...redis(highAvailability, nodeSelector),
    // Keycloak speaks OpenID Connect with Argo CD itself: no Dex between them.
    dex: { enabled: false },
    // Notifies nobody until somebody sets it up, in `values`.
    notifications: { enabled: false },
  };
}

function workloads(topology: Topology, settings: Settings): Workload[] {
  const spot = spotOf(topology, settings);
  const twice = settings.highAvailability ? 2 : 1;
  const always = [
    { name: "controller", replicas: 1, requests: REQUESTS.controller, spot },
    { name: "repo-server", replicas: twice, requests: REQUESTS["repo-server"], spot },
    { name: "server", replicas: twice, requests: REQUESTS.server, spot },
    { name: "applicationset", replicas: 1, requests: REQUESTS.applicationset, spot },
  ];
  if (!settings.highAvailability) return [...always, { name: "redis", replicas: 1, requests: REDIS, spot }];
  const { redis: data, sentinel, guard, haproxy } = REDIS_HA;
  const pod = {
    cpu: data.cpu + sentinel.cpu + guard.cpu,
    memory: data.memory + sentinel.memory + guard.memory,
  };
  return [
    ...always,
    { name: "redis-ha", replicas: 3, requests: pod, spot, apart: true, replication: "asynchronous" },
    { name: "redis-ha-haproxy", replicas: 3, requests: haproxy, spot, apart: true },
  ];
}

function secrets({ repository: git, singleSignOn: login }: Settings): SecretDefinition[] {
  const key =
    git === undefined || !isSshRepository(git.url)
      ? []
      : [
          {
            name: REPOSITORY_SECRET,
            labels: { "argocd.argoproj.io/secret-type": "repository" },
            entries: { type: { text: "git" }, url: { text: git.url }, sshPrivateKey: { sshKey: "private" as const } },
          },
        ];
  if (login === undefined) return key;
  return [
    ...key,
    {
      name: LOGIN_SECRET,
      labels: { "app.kubernetes.io/part-of": "argocd" },
      entries: { clientSecret: { text: login.clientSecret } },
    },
  ];
}

/** The application of applications. Without a finalizer: when it goes, what it made stays. */
const rootApplication = ({ url: repoURL, path, revision }: NonNullable<Settings["repository"]>): Manifest => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind: "Application",
  metadata: { name: ROOT, namespace: ARGO_NAMESPACE },
  spec: {
    project: ROOT,
    source: { repoURL, path, targetRevision: revision },
    destination: { server: IN_CLUSTER, namespace: ARGO_NAMESPACE },
    syncPolicy: { automated: { prune: true, selfHeal: true } },
  },
});

function problems(settings: Settings): ReleaseProblem[] {
  const { singleSignOn: login, clusterIssuer, repository: git } = settings;
  const name = git === undefined ? undefined : gitHost(git.url);
  return [
    ...pageProblems(settings, { singleSignOn: login, clusterIssuer }),
    ...(git === undefined || name === undefined || knowsHost(name, git.hostKeys)
      ? []
      : [
          {
            path: "repository.hostKeys",
            found: `no key of ${name}`,
            allowed: "the keys of a host that Argo CD does not know",
            fix: `add what \`ssh-keyscan\` says of ${name}, once the host itself says the same`,
          },
        ]),
  ];
}

/** Argo CD: deploys what a Git repository says. */
export const argoCd = defineRelease({
  name: "argo-cd",
  section: "GitOps",
  summary: "deploys what a Git repository says, everywhere but in the namespaces that the stack keeps",
  home: "https://argo-cd.readthedocs.io/en/stable/",
  kind: "chart",
  namespace: ARGO_NAMESPACE,
  podSecurity: "restricted",
  timeoutSeconds: 900,
  schema,
  needs: pageNeeds,
  values,
  workloads,
  secrets: (_topology, settings) => secrets(settings),
  objects: (topology, { repository: git }) => [
    ...handedOverProjects(topology),
    ...(git === undefined ? [] : [rootProject(git.url), rootApplication(git)]),
  ],
  problems: (_topology, settings) => problems(settings),
});
