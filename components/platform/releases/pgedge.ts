import type { z } from "zod";
import { type Rule, wholeNumber } from "../../strict-schema.ts";
import type { Reshaping } from "../lasting.ts";
import { defineRelease } from "../release.ts";
import { releaseSettings, size, word } from "../release-settings.ts";
import { keptFact, replicasIn, spotFor } from "../spot.ts";
import { nodesIn, type Topology } from "../topology.ts";
import { type Requests, resourcesOf } from "../workload.ts";

const TIMEOUT_SECONDS = 900;

const RULES = {
  nodes: { allowed: "a whole number from 1 to 9", fix: "remove the setting for what one site can hold" },
  instances: { allowed: "a whole number from 1 to 5", fix: "write 1 for a node without a standby" },
} as const satisfies Record<string, Rule>;

const schema = releaseSettings({
  nodes: wholeNumber(RULES.nodes, 1, 9)
    .optional()
    .describe(
      "Nodes that take writes and send them to each other; left out: three, or as many as one site has machines",
    ),
  instances: wholeNumber(RULES.instances, 1, 5)
    .default(1)
    .describe("Instances of each node, all but one standbys of it"),
  size: size().prefault("20GiB").describe("Volume of each instance"),
  storageClass: word().optional().describe("Its StorageClass; left out: the cluster's default"),
  memory: size().prefault("1GiB").describe("Memory of each instance, a quarter of it for its own cache"),
});
type Settings = z.output<typeof schema>;

function plan(topology: Topology, settings: Settings) {
  const spot = spotFor(topology, settings.place, "steady");
  const most = Math.max(1, Math.floor(replicasIn(spot, 3 * settings.instances) / settings.instances));
  const requests: Requests = { cpu: 100, memory: settings.memory * 1024 };
  const kept = keptFact(settings.place, "nodes", Math.floor(nodesIn(spot.pools) / settings.instances));
  return { spot, count: settings.nodes ?? kept ?? most, requests };
}

/** https://docs.pgedge.com/pgedge-helm/development/usage/adding_nodes/ */
function reshaping(before: number, after = 0): Reshaping | undefined {
  if (after === before) return undefined;
  return after > before
    ? {
        why: "a new node starts empty, and gets only what is written from then on",
        how: "write platform.pgedge.values.pgEdge.nodes with all nodes, each new one with bootstrap: { mode: spock, sourceNode: n1 }",
      }
    : {
        why: "a node goes with its volumes, and with what it had not sent yet",
        how: "end all writes to the nodes that go, and wait until the others have theirs",
      };
}

/** The name of a node; the number is what its rows' identifiers begin with. */
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `n${index + 1}`);

/** pgEdge: PostgreSQL whose nodes all take writes. */
export const pgedge = defineRelease({
  name: "pgedge",
  section: "Databases and messaging",
  summary: "PostgreSQL whose nodes all take writes and send them to each other (Spock), here in one site",
  home: "https://docs.pgedge.com/pgedge-helm/",
  kind: "chart",
  namespace: "pgedge",
  podSecurity: "restricted",
  timeoutSeconds: TIMEOUT_SECONDS,
  schema,
  // The chart's pods are clusters of CloudNativePG, whose users come in by certificates of cert-manager.
  needs: () => ["cert-manager", "cloudnative-pg"],
  values: (topology, settings) => {
    const { spot, count, requests } = plan(topology, settings);
    const clusters = names(count).map((name) => `pgedge-${name}`);
    return {
      pgEdge: {
        // The chart has no node. They reach each other by the Services of their primaries.
        nodes: names(count).map((name) => ({ name, hostname: `pgedge-${name}-rw` })),
        // It ends with a message of its own before Helm gives up on it.
        initSpockJobConfig: { timeout: TIMEOUT_SECONDS - 60 },
        clusterSpec: {
          instances: settings.instances,
          // With one instance there is none to switch to: a budget would hold up every drain of its machine.
          enablePDB: settings.instances > 1,
          affinity: {
            nodeSelector: spot.nodeSelector,
            enablePodAntiAffinity: true,
            topologyKey: "kubernetes.io/hostname",
            podAntiAffinityType: "required",
            // Each node is a cluster of its own to the operator, which keeps apart what is of one cluster alone.
            additionalPodAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                {
                  topologyKey: "kubernetes.io/hostname",
                  labelSelector: {
                    matchExpressions: [
                      { key: "cnpg.io/cluster", operator: "In", values: clusters },
                      { key: "cnpg.io/podRole", operator: "In", values: ["instance"] },
                    ],
                  },
                },
              ],
            },
          },
          storage: {
            size: `${settings.size}Gi`,
            ...(settings.storageClass === undefined ? {} : { storageClass: settings.storageClass }),
          },
          // The limit is what it asks for: PostgreSQL holds what it has, and must not be the one that is ended.
          resources: resourcesOf(requests, requests.memory),
          postgresql: { parameters: { shared_buffers: `${requests.memory / 4}MB` } },
        },
      },
    };
  },
  workloads: (topology, settings) => {
    const { spot, count, requests } = plan(topology, settings);
    return [
      {
        name: "pgedge",
        replicas: count * settings.instances,
        requests,
        spot,
        apart: true,
        volumeGiB: settings.size,
        // Nodes and standbys follow; of two writes to one row at the same time the later one wins.
        replication: "asynchronous",
      },
    ];
  },
  lasting: {
    facts: (topology, settings) => ({ nodes: plan(topology, settings).count }),
    reshaping: (_fact, before, after) => reshaping(before, after),
  },
  problems: (topology, settings) => {
    const sites = [...new Set(plan(topology, settings).spot.pools.map(({ site }) => site))];
    return sites.length > 1
      ? [
          {
            path: "place",
            found: `nodes in ${sites.join(" and ")}`,
            allowed: "the nodes of one region in one site: which of them stands where is chance otherwise",
            fix: "write platform.pgedge.place.site with one of them",
          },
        ]
      : [];
  },
});
