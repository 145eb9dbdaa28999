import { z } from "zod";
import { canonicalCidr, canonicalCidr6, isCidr } from "../../network/cidr.ts";
import { type Rule, saying, text } from "../../strict-schema.ts";
import { BOUNCER_NAME, CROWDSEC_NAMESPACE } from "../bouncer.ts";
import { ingressSpot, TRAEFIK_TOLERATIONS } from "../ingress-spot.ts";
import { defineRelease, type Manifest, type ReleaseProblem, type Values } from "../release.ts";
import { flag, releaseSettings, word } from "../release-settings.ts";
import { spotFor } from "../spot.ts";
import type { HiddenSenders, Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";
import { yamlText } from "../../yaml-text.ts";

const REQUESTS = { lapi: { cpu: 50, memory: 192 }, agent: { cpu: 20, memory: 96 } } as const satisfies Record<
  string,
  Requests
>;
/** GiB: what it has decided, and its configuration with what it has downloaded. */
const VOLUMES = { data: 1, config: 1 } as const;

const RULES = {
  range: { allowed: "a range such as 203.0.113.0/24 or 2001:db8::/32", fix: "clear the bits behind the prefix" },
  ranges: { allowed: "a list of ranges", fix: "write it as a list, or remove the setting" },
} as const satisfies Record<string, Rule>;

const isRange = (value: string): boolean =>
  isCidr(value) ? canonicalCidr(value) === value : canonicalCidr6(value) === value;

const schema = releaseSettings({
  community: flag()
    .default(false)
    .describe(
      "Whether it tells CrowdSec's own service which addresses it has blocked, and gets the list of everybody's in return",
    ),
  trusted: z
    .array(text(RULES.range, isRange), saying(RULES.ranges))
    .default([])
    .describe("Ranges that are never blocked, beside private ones, the mesh and the region's pods"),
  storageClass: word().optional().describe("StorageClass of its volumes; left out: the cluster's default"),
});
type Settings = z.output<typeof schema>;

const KEYS = "crowdsec-keys";
const SERVICE = `crowdsec-service.${CROWDSEC_NAMESPACE}.svc:8080`;

const spots = (topology: Topology, { place }: Settings) => ({
  // It says who is let in: the ingress asks it all the time.
  lapi: spotFor(topology, place, "steady"),
  // Traefik's log is where Traefik is.
  agent: ingressSpot(topology, {}, TRAEFIK_TOLERATIONS),
});

/** Where both meshes take addresses from: whoever comes that way has shown already who they are. */
const MESH = "100.64.0.0/10";

const trusted = ({ pods, mesh }: Topology, settings: Settings): string[] => [
  pods,
  ...(mesh === "none" ? [] : [MESH]),
  ...settings.trusted,
];

/** https://docs.crowdsec.net/docs/log_processor/whitelist/introduction */
const whitelist = (topology: Topology, settings: Settings): string =>
  yamlText({
    name: "hybrid-k3s/trusted",
    description: "Ranges that settings trust",
    whitelist: { reason: "settings trust this range", cidr: trusted(topology, settings) },
  });

/** With the chart's limit of CPU, which cannot be taken away, only raised: half a CPU makes it fall behind its own log. */
const resources = (requests: Requests, memory: number) => ({
  ...resourcesOf(requests),
  limits: { memory: `${memory}Mi`, cpu: "1" },
});

/** Agents register themselves, from pods alone. The variable is the chart's own. */
const configuration = ({ pods }: Topology): string =>
  yamlText({
    api: {
      server: {
        auto_registration: {
          enabled: true,
          token: "${REGISTRATION_TOKEN}",
          allowed_ranges: ["127.0.0.1/32", pods],
        },
      },
    },
  });

function values(topology: Topology, settings: Settings): Values {
  const { lapi, agent } = spots(topology, settings);
  const volume = (size: number) => ({
    enabled: true,
    size: `${size}Gi`,
    ...(settings.storageClass === undefined ? {} : { storageClassName: settings.storageClass }),
  });
  return {
    container_runtime: "containerd",
    config: {
      "config.yaml.local": configuration(topology),
      parsers: { "s02-enrich": { "trusted.yaml": whitelist(topology, settings) } },
    },
    // The chart makes others with every upgrade, and agents that are registered would be strangers.
    secrets: { externalSecret: { name: KEYS, csLapiSecretKey: "lapi", registrationTokenKey: "registration" } },
    lapi: {
      env: [
        { name: "BOUNCER_KEY_traefik", valueFrom: { secretKeyRef: { name: KEYS, key: "bouncer" } } },
        ...(settings.community ? [] : [{ name: "DISABLE_ONLINE_API", value: "true" }]),
      ],
      resources: resources(REQUESTS.lapi, 512),
      nodeSelector: lapi.nodeSelector,
      persistentVolume: { data: volume(VOLUMES.data), config: volume(VOLUMES.config) },
    },
    agent: {
      acquisition: [{ namespace: "kube-system", podName: "traefik-*", program: "traefik" }],
      env: [
        { name: "COLLECTIONS", value: "crowdsecurity/traefik" },
        { name: "PARSERS", value: "crowdsecurity/cri-logs" },
      ],
      resources: resources(REQUESTS.agent, 256),
      nodeSelector: agent.nodeSelector,
      tolerations: agent.tolerations,
    },
  };
}

/** https://github.com/maxlerebourg/crowdsec-bouncer-traefik-plugin#configuration */
const bouncer = (topology: Topology, settings: Settings): Manifest => ({
  apiVersion: "traefik.io/v1alpha1",
  kind: "Middleware",
  metadata: { name: BOUNCER_NAME, namespace: CROWDSEC_NAMESPACE },
  spec: {
    plugin: {
      bouncer: {
        enabled: true,
        crowdsecMode: "stream",
        crowdsecLapiScheme: "http",
        crowdsecLapiHost: SERVICE,
        // Traefik puts the Secret's content in its place.
        crowdsecLapiKey: `urn:k8s:secret:${KEYS}:bouncer`,
        // While CrowdSec is away, and until it has been asked once, everybody is let in: no page is worth less for being there.
        updateMaxFailure: -1,
        streamStartupBlock: false,
        // Also where everybody's list names them.
        clientTrustedIps: trusted(topology, settings),
      },
    },
  },
});

const SEEING = "CrowdSec where Traefik sees who sends a request: it never blocks private addresses";

/** What keeps it from doing anything for a pool, without a word. */
const blindness = ({ pool, behind }: HiddenSenders): ReleaseProblem =>
  behind === "load-balancer"
    ? {
        path: "",
        found: `pool ${pool}, where every request comes from the load balancer's private address`,
        allowed: SEEING,
        fix: "write proxyProtocol: true at the site's loadBalancer and trustedIPs for Traefik, as docs/sites/hetzner.md has them",
      }
    : {
        path: "",
        found: `pool ${pool}, where requests arrive at addresses that are not the nodes' own, and so with one of the cluster`,
        allowed: SEEING,
        fix: "write all of those addresses as platform.traefik.addresses, as docs/crowdsec.md has it",
      };

/** CrowdSec: blocks senders that misbehave, by what Traefik's log says of them. */
export const crowdsec = defineRelease({
  name: "crowdsec",
  section: "Policy and safety",
  summary:
    "reads Traefik's log and blocks senders that misbehave; they are turned away where `traefik.crowdsec` is true, and only seen otherwise; docs/crowdsec.md",
  home: "https://docs.crowdsec.net/",
  kind: "chart",
  namespace: CROWDSEC_NAMESPACE,
  // Its agents read the logs of pods on the machine, as root.
  podSecurity: "privileged",
  timeoutSeconds: 900,
  schema,
  values,
  workloads: (topology, settings) => {
    const { lapi, agent } = spots(topology, settings);
    return [
      {
        name: "lapi",
        replicas: 1,
        requests: REQUESTS.lapi,
        spot: lapi,
        volumeGiB: VOLUMES.data + VOLUMES.config,
      },
      { name: "agent", replicas: "every-node", requests: REQUESTS.agent, spot: agent },
    ];
  },
  // At least 64 characters are asked of the first.
  secrets: () => [
    { name: KEYS, entries: { lapi: { password: 64 }, registration: { password: 48 }, bouncer: { password: 48 } } },
  ],
  objects: (topology, settings) => [bouncer(topology, settings)],
  problems: ({ disabled, accessLog, hiddenSenders }) => {
    const problem = (found: string, allowed: string, fix: string) => [{ path: "", found, allowed, fix }];
    if (disabled.includes("traefik"))
      return problem(
        "CrowdSec for Traefik, which kubernetes.config.disable leaves out",
        "CrowdSec where k3s brings Traefik",
        "take traefik off kubernetes.config.disable, or remove platform.crowdsec",
      );
    if (accessLog !== true)
      return problem(
        accessLog === false
          ? "platform.traefik.accessLog: false"
          : "no platform.traefik, without which k3s logs no request",
        "CrowdSec where Traefik logs requests, for it reads nothing else",
        "write platform.traefik: { accessLog: true }, or remove platform.crowdsec",
      );
    return hiddenSenders.map(blindness);
  },
});
