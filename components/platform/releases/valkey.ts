import type { z } from "zod";
import { type Rule, wholeNumber } from "../../strict-schema.ts";
import type { Reshaping } from "../lasting.ts";
import { defineRelease } from "../release.ts";
import { flag, releaseSettings, replicas, size, word } from "../release-settings.ts";
import { spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { type Requests, resourcesOf } from "../workload.ts";

const RULES = {
  memory: { allowed: "a whole number of MiB from 32 to 65536", fix: "write how much it may hold" },
} as const satisfies Record<string, Rule>;

const schema = releaseSettings({
  memory: wholeNumber(RULES.memory, 32, 65_536).default(256).describe("How much it may hold, MiB"),
  evict: flag()
    .default(true)
    .describe("Whether what was used least recently goes when it is full, or writes fail then"),
  replicas: replicas()
    .default(1)
    .describe("Copies, each on a machine of its own; the first takes writes, and none stands in for it by itself"),
  size: size().optional().describe("Volume of each copy, so that it survives a restart; left out: a cache, in memory"),
  storageClass: word().optional().describe("Its StorageClass; left out: the cluster's default"),
});
type Settings = z.output<typeof schema>;

const LABELS = { "app.kubernetes.io/name": "valkey", "app.kubernetes.io/instance": "valkey" };

function plan(topology: Topology, settings: Settings) {
  // Who asks a cache waits for it.
  const spot = spotFor(topology, settings.place, "steady");
  // A quarter more than it holds, for connections and for what a snapshot copies.
  const requests: Requests = { cpu: 50, memory: Math.ceil(settings.memory * 1.25) + 32 };
  return { spot, requests };
}

const configuration = ({ memory, evict, size: volume }: Settings): string =>
  [
    `maxmemory ${memory}mb`,
    `maxmemory-policy ${evict ? "allkeys-lru" : "noeviction"}`,
    // Every write is in a file within a second; without a volume there is no use in writing any.
    ...(volume === undefined ? ['save ""'] : ["appendonly yes"]),
    "",
  ].join("\n");

function storage({ replicas: count, size: volume, storageClass }: Settings): Record<string, unknown> {
  if (count > 1) {
    const persistence = {
      // The chart has no copies without volumes; a problem of the release says so before it does.
      size: volume === undefined ? "" : `${volume}Gi`,
      ...(storageClass === undefined ? {} : { storageClass }),
    };
    return { replica: { enabled: true, replicas: count - 1, persistence } };
  }
  return volume === undefined
    ? {}
    : {
        dataStorage: {
          enabled: true,
          requestedSize: `${volume}Gi`,
          // The data stays when the release goes: that is what it was put on a volume for.
          keepPvc: true,
          ...(storageClass === undefined ? {} : { className: storageClass }),
        },
        // Two pods cannot have the volume at once.
        deploymentStrategy: "Recreate",
      };
}

const SAVING = "save its keys (valkey-cli --rdb)";

/** One copy is a Deployment with a volume of its own, several are a StatefulSet: the chart makes the one anew for the other. */
const reshaping = (before: number, after: number | undefined): Reshaping | undefined =>
  // Without a size it is no store any more, which somebody wrote; its volume stays.
  after === undefined || before > 1 === after > 1
    ? undefined
    : {
        why: "the other form begins with new volumes, empty; the old ones are left aside",
        how: `${SAVING} before the update, and load them after it`,
      };

/** Valkey: a cache and store that speaks Redis. */
export const valkey = defineRelease({
  name: "valkey",
  section: "Databases and messaging",
  summary: "a cache that speaks Redis, behind a password; with a volume also a store",
  home: "https://github.com/valkey-io/valkey-helm/tree/main/valkey",
  kind: "chart",
  namespace: "valkey",
  podSecurity: "restricted",
  timeoutSeconds: 600,
  schema,
  values: (topology, settings) => {
    const { spot, requests } = plan(topology, settings);
    return {
      // The chart lets everybody in. User `default`, password in the Secret `valkey-users` under the same name.
      auth: {
        enabled: true,
        usersExistingSecret: "valkey-users",
        aclUsers: { default: { permissions: "~* &* +@all" } },
      },
      valkeyConfig: configuration(settings),
      resources: resourcesOf(requests),
      // It writes one small file and ends.
      initResources: resourcesOf({ cpu: 10, memory: 16 }, 64),
      nodeSelector: spot.nodeSelector,
      ...storage(settings),
      ...(settings.replicas > 1
        ? {
            // Two copies on one machine are lost together.
            affinity: {
              podAntiAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: [
                  { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: LABELS } },
                ],
              },
            },
            podDisruptionBudget: { enabled: true },
          }
        : {}),
    };
  },
  workloads: (topology, settings) => {
    const { spot, requests } = plan(topology, settings);
    return [
      {
        name: "valkey",
        replicas: settings.replicas,
        requests,
        spot,
        apart: settings.replicas > 1,
        ...(settings.size === undefined ? {} : { volumeGiB: settings.size }),
        replication: "asynchronous",
      },
    ];
  },
  lasting: {
    // Without a volume there is nothing to lose.
    facts: (_topology, { size: volume, replicas: count }): Record<string, number> =>
      volume === undefined ? {} : { replicas: count },
    reshaping: (_fact, before, after) => reshaping(before, after),
  },
  saving: SAVING,
  secrets: () => [{ name: "valkey-users", entries: { default: { password: 40 } } }],
  problems: (_topology, { replicas: count, size: volume }) =>
    count > 1 && volume === undefined
      ? [
          {
            path: "replicas",
            found: `${count} copies without a volume`,
            allowed: "copies with a size, or one: a first one that restarts empty would empty all of them",
            fix: "write platform.valkey.size, or remove replicas",
          },
        ]
      : [],
});
