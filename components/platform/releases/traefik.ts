import { z } from "zod";
import { mergeValues } from "../../helm-values.ts";
import { isIpv4Address } from "../../network/cidr.ts";
import { type Rule, saying, text } from "../../strict-schema.ts";
import { BOUNCER_MIDDLEWARE } from "../bouncer.ts";
import { balancerAnnotations, ingressSpot, TRAEFIK_TOLERATIONS } from "../ingress-spot.ts";
import { defineRelease, type SecretDefinition, type Values } from "../release.ts";
import { flag, hostname, releaseSettings } from "../release-settings.ts";
import type { Place, Spot } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";
import { yamlText } from "../../yaml-text.ts";

const REQUESTS = { cpu: 50, memory: 96 } as const satisfies Requests;

const RULES = {
  address: { allowed: "an IPv4 address", fix: "write it without a port, such as 203.0.113.7" },
  addresses: { allowed: "a list of IPv4 addresses", fix: "write it as a list, or remove the setting" },
} as const satisfies Record<string, Rule>;

const schema = releaseSettings({
  accessLog: flag().default(true).describe("Whether each request is logged; CrowdSec reads it"),
  redirect: flag().default(true).describe("Whether http is sent on to https"),
  crowdsec: flag()
    .default(false)
    .describe(
      "Whether CrowdSec says who is let in: needs `crowdsec`. Traefik fetches the plugin for it from plugins.traefik.io whenever it starts, and does not start without",
    ),
  addresses: z
    .array(text(RULES.address, isIpv4Address), saying(RULES.addresses))
    .default([])
    .describe(
      "Addresses that requests arrive at, of machines with `ingress` where these are not the nodes' own: Traefik sees who sends a request there only if it is told of them; docs/crowdsec.md",
    ),
  dashboardHost: hostname()
    .optional()
    .describe(
      "Name at which its dashboard answers the user admin, whose password is in the Secret `traefik-dashboard` of kube-system; left out: it does not",
    ),
});
type Settings = z.output<typeof schema>;

const NAMESPACE = "kube-system";
/** Name of the Secret, and of the Middleware that asks for what it holds. */
const DASHBOARD = "traefik-dashboard";
/** https://github.com/maxlerebourg/crowdsec-bouncer-traefik-plugin */
const BOUNCER = { moduleName: "github.com/maxlerebourg/crowdsec-bouncer-traefik-plugin", version: "v1.7.1" } as const;

/** Attackers' tools are known by the name that they give themselves; Traefik writes no header down unless told to. */
const ACCESS_LOG = ["--accesslog=true", "--accesslog.fields.headers.names.User-Agent=keep"];

const redirection = { redirections: { entryPoint: { to: "websecure", scheme: "https" } } };

/** What stands before every page, and where requests without TLS go. */
function ports({ redirect, crowdsec }: { readonly redirect: boolean; readonly crowdsec: boolean }) {
  const asked = crowdsec ? { middlewares: [BOUNCER_MIDDLEWARE] } : {};
  const web = { ...asked, ...(redirect ? redirection : {}) };
  return {
    ...(Object.keys(web).length === 0 ? {} : { web: { http: web } }),
    ...(crowdsec ? { websecure: { http: asked } } : {}),
  };
}

/**
 * Kubernetes takes requests to these addresses in before k3s's load balancer does, which puts an address of its own in the
 * place of the sender's. Deprecated since Kubernetes 1.36 and still there; nothing else of it does this for one Service.
 * https://www.kubernetes.dev/resources/keps/5707/
 */
const arriving = (addresses: readonly string[]): Values => (addresses.length === 0 ? {} : { externalIPs: addresses });

/** The router of the dashboard answers nothing while this is not there. */
const login = {
  apiVersion: "traefik.io/v1alpha1",
  kind: "Middleware",
  metadata: { name: DASHBOARD, namespace: NAMESPACE },
  spec: { basicAuth: { secret: DASHBOARD } },
};

/** Its dashboard and its API tell of every page and every address in the cluster, and ask nobody who they are by themselves. */
const dashboard = (host: string): Values => ({
  // Made by the chart, for kinds of Traefik's own are there only some time after the cluster's first node.
  extraObjects: [login],
  ingressRoute: {
    dashboard: {
      enabled: true,
      matchRule: `Host(\`${host}\`)`,
      entryPoints: ["websecure"],
      middlewares: [{ name: DASHBOARD }],
    },
  },
});

/** Of the type that holds a password as it is: https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/basicauth/ */
const credentials: SecretDefinition = {
  name: DASHBOARD,
  type: "kubernetes.io/basic-auth",
  entries: { username: { text: "admin" }, password: { password: 32 } },
};

const spotOf = (topology: Topology, place: Place): Spot => ingressSpot(topology, place, TRAEFIK_TOLERATIONS);

/** Where its pods run, and with them the pods of k3s's load balancer, which take its requests in. */
function placed(topology: Topology, { place, addresses }: Settings): Values {
  const spot = spotOf(topology, place);
  const reserved = spot.tolerations.length > TRAEFIK_TOLERATIONS.length;
  return {
    service: {
      ...(reserved ? { annotations: balancerAnnotations(spot) } : {}),
      spec: { externalTrafficPolicy: "Local", ...arriving(addresses) },
    },
    nodeSelector: { "kubernetes.io/os": "linux", ...spot.nodeSelector },
    // A list of ours takes the place of k3s's.
    ...(reserved ? { tolerations: spot.tolerations } : {}),
  };
}

/** Traefik, the ingress controller that k3s brings, through its HelmChartConfig. */
export const traefik = defineRelease({
  name: "traefik",
  section: "Ingress and load balancing",
  summary: "the ingress controller that k3s brings, on the nodes that take requests from outside",
  home: "https://docs.k3s.io/networking/networking-services",
  kind: "objects",
  namespace: NAMESPACE,
  podSecurity: "existing",
  timeoutSeconds: 300,
  schema,
  needs: ({ crowdsec }) => (crowdsec ? ["crowdsec"] : []),
  values: () => ({}),
  objects: (topology, settings) => {
    const values = {
      // One on each node that takes requests, so that none is sent on to another node and loses its sender's address.
      deployment: { kind: "DaemonSet" },
      // A DaemonSet's pod cannot start beside the one that it follows.
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      ...placed(topology, settings),
      resources: resourcesOf(REQUESTS, 256),
      // The chart's own key for it was renamed in its version 41, and k3s brings either: each refuses the other's.
      // https://github.com/traefik/traefik-helm-chart/pull/1887
      ...(settings.accessLog ? { additionalArguments: ACCESS_LOG } : {}),
      ...(settings.redirect || settings.crowdsec ? { ports: ports(settings) } : {}),
      // Traefik is ready without its plugin otherwise, and answers 404 to everything: so an update stops at the first machine.
      // https://github.com/traefik/traefik/issues/10900
      ...(settings.crowdsec ? { experimental: { plugins: { bouncer: BOUNCER }, abortOnPluginFailure: true } } : {}),
      ...(settings.dashboardHost === undefined ? {} : dashboard(settings.dashboardHost)),
    };
    return [
      {
        apiVersion: "helm.cattle.io/v1",
        kind: "HelmChartConfig",
        metadata: { name: "traefik", namespace: NAMESPACE },
        spec: {
          valuesContent: yamlText(mergeValues(values, settings.values)),
        },
      },
    ];
  },
  secrets: (_topology, { dashboardHost }) => (dashboardHost === undefined ? [] : [credentials]),
  workloads: (topology, settings) => [
    { name: "traefik", replicas: "every-node", requests: REQUESTS, spot: spotOf(topology, settings.place) },
  ],
  claims: () => ({ defaultIngressClass: "traefik", ports: [80, 443] }),
  problems: ({ disabled }, { crowdsec, accessLog }) => [
    ...(disabled.includes("traefik")
      ? [
          {
            path: "",
            found: "settings for Traefik, which kubernetes.config.disable leaves out",
            allowed: "Traefik only where k3s brings it",
            fix: "take traefik off kubernetes.config.disable, or remove platform.traefik",
          },
        ]
      : []),
    ...(crowdsec && !accessLog
      ? [
          {
            path: "accessLog",
            found: "false, with crowdsec: true",
            allowed: "an access log where CrowdSec is to read it",
            fix: "remove accessLog, or write crowdsec: false",
          },
        ]
      : []),
  ],
});
