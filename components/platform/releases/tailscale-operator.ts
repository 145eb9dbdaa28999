import { defineRelease } from "../release.ts";
import { kubernetesName, releaseSettings, secretText } from "../release-settings.ts";
import { spotFor } from "../spot.ts";
import { text } from "../../strict-schema.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const REQUESTS = { cpu: 20, memory: 96 } as const satisfies Requests;
const tag = () =>
  text(
    { allowed: "a tag of the tailnet such as tag:k8s", fix: "write tag: and a name of letters, digits and -" },
    (value) => /^tag:[a-z][a-z0-9-]*$/i.test(value),
  );

const schema = releaseSettings({
  clientId: secretText().describe("OAuth client with the scopes Devices Core, Auth Keys and Services"),
  clientSecret: secretText().describe("Its secret, encrypted"),
  tag: tag().default("tag:k8s-operator").describe("Tag of the operator itself"),
  proxyTag: tag().default("tag:k8s").describe("Tag of the proxies that it makes for Services and Ingresses"),
  hostname: kubernetesName().optional().describe("Name of the operator in the tailnet; left out: `<region>-operator`"),
});

/** The Tailscale operator: Services of the cluster as machines of the tailnet. */
export const tailscaleOperator = defineRelease({
  name: "tailscale-operator",
  section: "Access",
  summary: "puts Services and Ingresses into the tailnet, with names and certificates of their own",
  home: "https://tailscale.com/kb/1236/kubernetes-operator",
  kind: "chart",
  namespace: "tailscale",
  // Its proxies route packets: they are privileged. https://tailscale.com/kb/1236/kubernetes-operator
  podSecurity: "privileged",
  timeoutSeconds: 600,
  schema,
  podAnnotations: (podAnnotations) => ({ operatorConfig: { podAnnotations } }),
  secrets: (_topology, { clientId, clientSecret }) => [
    // The name that the chart mounts when it is given no client of its own.
    { name: "operator-oauth", entries: { client_id: { text: clientId }, client_secret: { text: clientSecret } } },
  ],
  values: (topology, settings) => ({
    operatorConfig: {
      defaultTags: [settings.tag],
      // Two regions of one tailnet would get one name otherwise, and the second a suffix.
      hostname: settings.hostname ?? `${topology.region}-operator`,
      image: { pullPolicy: "IfNotPresent" },
      nodeSelector: { "kubernetes.io/os": "linux", ...spotFor(topology, settings.place, "anywhere").nodeSelector },
      resources: resourcesOf(REQUESTS, 256),
    },
    proxyConfig: { defaultTags: settings.proxyTag },
  }),
  workloads: (topology, settings) => [
    { name: "operator", replicas: 1, requests: REQUESTS, spot: spotFor(topology, settings.place, "anywhere") },
  ],
});
