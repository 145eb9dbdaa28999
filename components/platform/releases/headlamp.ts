import type { z } from "zod";
import { defineRelease, type SecretDefinition, type Values } from "../release.ts";
import { releaseSettings } from "../release-settings.ts";
import { strict } from "../../strict-schema.ts";
import { RESTRICTED_CONTAINER, RESTRICTED_POD } from "../security-context.ts";
import { spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { openIdConnect, pageAnnotations, pageHost, pageNeeds, pageProblems, pageTls, webPage } from "../web-page.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const REQUESTS: Requests = { cpu: 20, memory: 96 };

const schema = releaseSettings({
  host: pageHost(),
  ...webPage,
  singleSignOn: strict(openIdConnect("headlamp"))
    .optional()
    .describe(
      "Login through Keycloak. It hands each person's token on to the API server, which must take tokens of the same realm: oidc flags in kubernetes.config. Left out: people paste a token of a ServiceAccount",
    ),
});
type Settings = z.output<typeof schema>;

const LOGIN = "headlamp-login";

/** Behind an ingress Headlamp would take its own address for one without TLS. */
const callbackOf = ({ host }: Settings): string => `https://${host ?? "localhost"}/oidc-callback`;

const spotOf = (topology: Topology, { place }: Settings) => spotFor(topology, place, "anywhere");

function values(topology: Topology, settings: Settings): Values {
  const { host, ingressClass, singleSignOn } = settings;
  return {
    config: {
      oidc:
        singleSignOn === undefined
          ? { secret: { create: false } }
          : {
              secret: { create: false },
              externalSecret: { enabled: true, name: LOGIN, hasScopes: true },
              // Only that there is one counts here: it is read from the Secret.
              callbackURL: callbackOf(settings),
            },
    },
    // The chart makes it an administrator of the cluster. It needs no right of its own: it acts as who is logged in.
    clusterRoleBinding: { create: false },
    resources: resourcesOf(REQUESTS, 384),
    nodeSelector: spotOf(topology, settings).nodeSelector,
    podSecurityContext: RESTRICTED_POD,
    securityContext: {
      ...RESTRICTED_CONTAINER,
      runAsNonRoot: true,
      runAsUser: 100,
      runAsGroup: 101,
      privileged: false,
    },
    ...(host === undefined
      ? {}
      : {
          ingress: {
            enabled: true,
            ingressClassName: ingressClass,
            annotations: pageAnnotations(settings),
            hosts: [{ host, paths: [{ path: "/", type: "Prefix" }] }],
            tls: pageTls(settings, host, "headlamp-tls"),
          },
        }),
  };
}

function secrets(settings: Settings): SecretDefinition[] {
  const { singleSignOn } = settings;
  if (singleSignOn === undefined) return [];
  const { issuer, clientId, clientSecret } = singleSignOn;
  const entries = {
    OIDC_CLIENT_ID: clientId,
    OIDC_CLIENT_SECRET: clientSecret,
    OIDC_ISSUER_URL: issuer,
    OIDC_SCOPES: "email,profile,groups",
    OIDC_CALLBACK_URL: callbackOf(settings),
  };
  return [
    { name: LOGIN, entries: Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, { text: value }])) },
  ];
}

/** Headlamp: the cluster in a browser. */
export const headlamp = defineRelease({
  name: "headlamp",
  section: "Access",
  summary: "the cluster in a browser; whoever looks sees what their own token may see",
  home: "https://headlamp.dev/docs/latest/",
  kind: "chart",
  namespace: "headlamp",
  podSecurity: "restricted",
  timeoutSeconds: 600,
  schema,
  needs: pageNeeds,
  values,
  workloads: (topology, settings) => [
    { name: "headlamp", replicas: 1, requests: REQUESTS, spot: spotOf(topology, settings) },
  ],
  podAnnotations: (podAnnotations) => ({ podAnnotations }),
  secrets: (_topology, settings) => secrets(settings),
  problems: (_topology, settings) =>
    pageProblems(settings, { singleSignOn: settings.singleSignOn, clusterIssuer: settings.clusterIssuer }),
});
