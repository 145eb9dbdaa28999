import { z } from "zod";
import { saying, type Rule } from "../strict-schema.ts";
import type { ReleaseProblem, Values } from "./release.ts";
import { size, word } from "./release-settings.ts";
import { RESTRICTED_CONTAINER, RESTRICTED_POD } from "./security-context.ts";
import type { Lasting } from "./lasting.ts";
import { keptFact, replicasIn, type Place, type Spot, spotFor } from "./spot.ts";
import { nodesIn, type Topology } from "./topology.ts";
import { pageAnnotations, pageHost, pageProblems, pageTls, webPage, type WebPage } from "./web-page.ts";
import { resourcesOf, type Requests, type Workload } from "./workload.ts";

// What OpenBao and Vault, which it comes from, have in common: charts of the same shape, and the same way to store.

const RULES = {
  replicas: {
    allowed: "1, 3 or 5: a majority of them has to agree",
    fix: "remove the setting for what the region can hold",
  },
} as const satisfies Record<string, Rule>;

const REQUESTS: Requests = { cpu: 50, memory: 192 };

/** Settings that both have. */
export const secretStoreSettings = {
  host: pageHost(),
  ...webPage,
  replicas: z
    .literal([1, 3, 5], saying(RULES.replicas))
    .optional()
    .describe(
      "How many keep all of it, each on a machine of its own; left out: three, or one where there are fewer machines",
    ),
  size: size().prefault("5GiB").describe("Volume of each"),
  storageClass: word().optional().describe("StorageClass of the volumes; left out: the cluster's default"),
};

/** Those settings, parsed. */
export interface SecretStoreSettings extends WebPage {
  readonly place: Place;
  readonly replicas?: number | undefined;
  readonly size: number;
  readonly storageClass?: string | undefined;
}

/** What differs between the two. */
export interface SecretStore {
  /** Name of the release: its pods are `<name>-0` and so on. */
  readonly name: string;
  /** Further stanzas of its configuration. */
  readonly stanzas: readonly string[];
  /** Whether a person has to unseal each pod after it was started. */
  readonly byHand: boolean;
  /** Further values of the server. */
  readonly server: Values;
}

/** All copies wait for each other at every write: they stand in one site. */
export function secretStorePlan(topology: Topology, settings: SecretStoreSettings): { spot: Spot; copies: number } {
  const spot = spotFor(topology, settings.place, "steady");
  const kept = keptFact(settings.place, "replicas", nodesIn(spot.pools));
  return { spot, copies: settings.replicas ?? kept ?? (replicasIn(spot, 3) === 3 ? 3 : 1) };
}

function configuration({ name, stanzas }: SecretStore, copies: number): string {
  const peers = Array.from({ length: copies }, (_, index) => `http://${name}-${index}.${name}-internal:8200`);
  return [
    "ui = true",
    "",
    // Inside of the cluster; what comes from outside ends its TLS at the ingress.
    'listener "tcp" {',
    "  tls_disable = 1",
    '  address = "[::]:8200"',
    '  cluster_address = "[::]:8201"',
    "}",
    "",
    'storage "raft" {',
    `  path = "/${name}/data"`,
    ...peers.flatMap((peer) => ["  retry_join {", `    leader_api_addr = "${peer}"`, "  }"]),
    "}",
    "",
    'service_registration "kubernetes" {}',
    ...stanzas.flatMap((stanza) => ["", stanza]),
    "",
  ].join("\n");
}

/** Values of its chart. */
export function secretStoreValues(topology: Topology, settings: SecretStoreSettings, store: SecretStore): Values {
  const { spot, copies } = secretStorePlan(topology, settings);
  const { host, ingressClass, storageClass } = settings;
  return {
    // Pods get secrets from External Secrets or ask by themselves; the injector would have a say in every pod's start.
    injector: { enabled: false },
    server: {
      ...store.server,
      standalone: { enabled: false },
      ha: {
        enabled: true,
        replicas: copies,
        // Of a single one none may be away, says the chart: its machine could never be drained.
        disruptionBudget: { enabled: copies > 1 },
        raft: { enabled: true, setNodeId: true, config: configuration(store, copies) },
      },
      // Sealed or new, a pod counts as ready: the update does not wait for the person who has to unseal it. Only the pod
      // that is active is behind the Service that programs ask.
      readinessProbe: { path: "/v1/sys/health?standbyok=true&sealedcode=204&uninitcode=204" },
      // By hand, no pod goes down before somebody is there to unseal it.
      updateStrategyType: store.byHand ? "OnDelete" : "RollingUpdate",
      resources: resourcesOf(REQUESTS, 512),
      nodeSelector: spot.nodeSelector,
      dataStorage: { size: `${settings.size}Gi`, ...(storageClass === undefined ? {} : { storageClass }) },
      statefulSet: {
        securityContext: {
          pod: { ...RESTRICTED_POD, runAsUser: 100, runAsGroup: 1000, fsGroup: 1000 },
          container: RESTRICTED_CONTAINER,
        },
      },
      ...(host === undefined
        ? {}
        : {
            ingress: {
              enabled: true,
              ingressClassName: ingressClass,
              annotations: pageAnnotations(settings),
              hosts: [{ host, paths: [] }],
              tls: pageTls(settings, host, `${store.name}-tls`),
            },
          }),
    },
  };
}

/** What it runs. */
export function secretStoreWorkloads(topology: Topology, settings: SecretStoreSettings, name: string): Workload[] {
  const { spot, copies } = secretStorePlan(topology, settings);
  return [
    {
      name,
      replicas: copies,
      requests: REQUESTS,
      spot,
      apart: copies > 1,
      volumeGiB: settings.size,
      replication: "synchronous",
    },
  ];
}

/**
 * Raft counts the copies that were there: those that stay wait for a majority of them.
 * @param command its command line
 */
export const secretStoreLasting = (command: "bao" | "vault"): Lasting<SecretStoreSettings> => ({
  facts: (topology, settings) => ({ replicas: secretStorePlan(topology, settings).copies }),
  reshaping: (_fact, before, after = 0) =>
    after >= before
      ? undefined
      : {
          why: "the copies that stay wait for a majority of those that were there, and answer nobody until then",
          how: `save it first (${command} operator raft snapshot save), and take each copy that goes out of raft while all run (${command} operator raft remove-peer)`,
        },
});

/** What is wrong with its settings in a region. */
export const secretStoreProblems = (settings: SecretStoreSettings): ReleaseProblem[] =>
  pageProblems(settings, { clusterIssuer: settings.clusterIssuer });
