import { defineRelease } from "../release.ts";
import { kubernetesName, releaseSettings, secretText, url } from "../release-settings.ts";
import { spotFor } from "../spot.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const REQUESTS = { cpu: 20, memory: 96 } as const satisfies Requests;
const SECRET = { name: "netbird-mgmt-api-key", key: "NB_API_KEY" } as const;

const schema = releaseSettings({
  token: secretText().describe("Access token of a service user, encrypted"),
  url: url().optional().describe("Address of the management server; left out: NetBird's own"),
  cluster: kubernetesName().optional().describe("Name of the cluster in NetBird; left out: the region's"),
});

/** The NetBird operator: Services of the cluster as resources of a NetBird network. */
export const netbirdOperator = defineRelease({
  name: "netbird-operator",
  section: "Access",
  summary: "puts Services of the cluster into the NetBird network, and lets pods reach what is in it",
  home: "https://docs.netbird.io/how-to/kubernetes-operator",
  kind: "chart",
  namespace: "netbird",
  // The routers that it makes have NET_ADMIN and a device of their own.
  podSecurity: "privileged",
  timeoutSeconds: 600,
  schema,
  // Its webhook takes its certificate from there.
  needs: () => ["cert-manager"],
  podAnnotations: (podAnnotations) => ({ operator: { podAnnotations } }),
  secrets: (_topology, { token }) => [{ name: SECRET.name, entries: { [SECRET.key]: { text: token } } }],
  values: (topology, settings) => ({
    ...(settings.url === undefined ? {} : { managementURL: settings.url }),
    netbirdAPI: { keyFromSecret: SECRET },
    // NetBird shows one network for each cluster: the default name would be that of every region.
    cluster: { name: settings.cluster ?? topology.region },
    // Pods must start also while the operator does not answer.
    webhook: { failurePolicy: "Ignore" },
    operator: {
      nodeSelector: spotFor(topology, settings.place, "anywhere").nodeSelector,
      resources: resourcesOf(REQUESTS, 256),
    },
  }),
  workloads: (topology, settings) => [
    { name: "operator", replicas: 1, requests: REQUESTS, spot: spotFor(topology, settings.place, "anywhere") },
  ],
});
