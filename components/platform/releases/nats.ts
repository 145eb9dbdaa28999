import { z } from "zod";
import { isDnsLabel, isHost } from "../../network/names.ts";
import { keyRuledBy, type Rule, saying, strict, text } from "../../strict-schema.ts";
import type { Reshaping } from "../lasting.ts";
import { defineRelease, type ReleaseProblem, type SecretDefinition } from "../release.ts";
import { flag, releaseSettings, replicas, secretText, size, word } from "../release-settings.ts";
import { keptFact, replicasIn, spotFor } from "../spot.ts";
import { nodesIn, type Topology } from "../topology.ts";
import { type Requests, resourcesOf } from "../workload.ts";
import { edgeService, routesForMembers } from "./nats-objects.ts";
import { restrictedPodOf } from "../security-context.ts";

const REQUESTS: Requests = { cpu: 100, memory: 256 };
const RELOADER: Requests = { cpu: 5, memory: 16 };
/** MiB at which a server is ended. */
const LIMIT = 1024;

const RULES = {
  nkeys: { allowed: "public keys of users, U and 55 letters and digits", fix: "nk -gen user -pubout" },
  remote: { allowed: "a DNS name or an address, without scheme and port", fix: "write where the other region answers" },
  region: { allowed: "the name of another region", fix: "write its key of regions.yaml" },
} as const satisfies Record<string, Rule>;

const schema = releaseSettings({
  replicas: replicas()
    .optional()
    .describe("Servers, an odd number of them; left out: three where one site has three machines, else one"),
  size: size().prefault("10GiB").describe("Volume of each server for streams"),
  storageClass: word().optional().describe("Its StorageClass; left out: the cluster's default"),
  nkeys: z
    .array(
      text(RULES.nkeys, (value) => /^U[A-Z2-7]{55}$/.test(value)),
      saying(RULES.nkeys),
    )
    .default([])
    .describe(
      "Public keys of the users that are let in; left out: the user app with its password of the Secret `nats-auth`",
    ),
  leafnodes: strict({
    expose: flag().default(false).describe("Whether machines answer on port 7422, too, for leaf nodes elsewhere"),
  })
    .optional()
    .describe("Takes leaf nodes on port 7422"),
  gateway: strict({
    password: secretText().describe("What regions know each other by, the same in all of them, encrypted"),
    remotes: z
      .record(
        keyRuledBy((key) => (isDnsLabel(key) ? undefined : RULES.region)),
        text(RULES.remote, isHost),
        saying(RULES.remote),
      )
      .default({})
      .describe("Where other regions' gateways answer on port 7222, by region"),
    expose: flag().default(true).describe("Whether machines answer on port 7222, too, for the other regions"),
  })
    .optional()
    .describe("Joins regions to one super-cluster, by port 7222"),
});
type Settings = z.output<typeof schema>;

function plan(topology: Topology, settings: Settings) {
  // Each write waits for a majority of servers.
  const spot = spotFor(topology, settings.place, "steady");
  const kept = keptFact(settings.place, "replicas", nodesIn(spot.pools));
  const count = settings.replicas ?? kept ?? (replicasIn(spot, 3) === 3 ? 3 : 1);
  const ports = [
    ...(settings.leafnodes?.expose === true ? [7422] : []),
    ...(settings.gateway?.expose === true ? [7222] : []),
  ];
  return { spot, count, ports };
}

const AUTH = "nats-auth";
const GATEWAY = "nats-gateway";
const addressKey = (region: string): string => `REMOTE_${region.toUpperCase().replaceAll("-", "_")}`;

/** Users that have a password: who looks after the servers, and who uses them where no keys are named. */
const people = (nkeys: readonly string[]): readonly string[] => ["system", ...(nkeys.length > 0 ? [] : ["app"])];
const variable = (user: string): string => `${user.toUpperCase()}_PASSWORD`;

function secrets({ nkeys, gateway }: Settings): SecretDefinition[] {
  const remotes = Object.entries(gateway?.remotes ?? {});
  return [
    { name: AUTH, entries: Object.fromEntries(people(nkeys).map((user) => [user, { password: 40 }])) },
    ...(gateway === undefined
      ? []
      : [
          {
            name: GATEWAY,
            entries: {
              // NATS reads a variable as it reads its file: in quotes it is a text, whatever stands in it.
              PASSWORD: { text: JSON.stringify(gateway.password) },
              ...Object.fromEntries(
                remotes.map(([name, host]) => [
                  addressKey(name),
                  { text: JSON.stringify(`nats://gateway:${encodeURIComponent(gateway.password)}@${host}:7222`) },
                ]),
              ),
            },
          },
        ]),
  ];
}

/** Variables of the server: what it must not read from its ConfigMap, and how much memory Go may take before it tidies up. */
function environment({ nkeys, gateway }: Settings): Record<string, unknown> {
  const from = (name: string, key: string) => ({ valueFrom: { secretKeyRef: { name, key } } });
  const remotes = Object.keys(gateway?.remotes ?? {}).map(addressKey);
  return {
    GOMEMLIMIT: `${Math.floor(LIMIT * 0.8)}MiB`,
    ...Object.fromEntries(
      people(nkeys).flatMap((user): [string, unknown][] => [
        [variable(user), from(AUTH, user)],
        // A password that begins like a number, such as 12e7k, is a mistake to NATS unless it stands in quotes.
        [`${variable(user)}_QUOTED`, `"$(${variable(user)})"`],
      ]),
    ),
    ...(gateway === undefined
      ? {}
      : {
          GATEWAY_PASSWORD: from(GATEWAY, "PASSWORD"),
          ...Object.fromEntries(remotes.map((key) => [key, from(GATEWAY, key)])),
        }),
  };
}

function gatewayValues(region: string, gateway: Settings["gateway"]): Record<string, unknown> {
  if (gateway === undefined) return {};
  return {
    gateway: {
      enabled: true,
      merge: {
        // The chart calls every region's gateway by the release's name; they must differ.
        name: region,
        authorization: { user: "gateway", password: "<< $GATEWAY_PASSWORD >>" },
        gateways: Object.keys(gateway.remotes).map((name) => ({ name, urls: [`<< $${addressKey(name)} >>`] })),
      },
    },
  };
}

/** What the level `restricted` asks for; the image says no user of its own. */
const CONTAINER = {
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, readOnlyRootFilesystem: true },
};

const podSpec = (nodeSelector: Readonly<Record<string, string>>): Record<string, unknown> => ({
  nodeSelector,
  // Two servers on one machine are lost together, and with them the majority.
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        {
          topologyKey: "kubernetes.io/hostname",
          labelSelector: { matchLabels: { "app.kubernetes.io/name": "nats", "app.kubernetes.io/component": "nats" } },
        },
      ],
    },
  },
  securityContext: restrictedPodOf(1000),
});

const passwordOf = (user: string) => ({ user, password: `<< $${variable(user)}_QUOTED >>` });

function configValues(topology: Topology, settings: Settings, count: number): Record<string, unknown> {
  const { nkeys, leafnodes, gateway, size: volume, storageClass } = settings;
  return {
    // The name that other regions know it by; it cannot change once there are streams.
    cluster: { enabled: count > 1, replicas: count, merge: { name: topology.region } },
    serverNamePrefix: `${topology.region}-`,
    jetstream: {
      enabled: true,
      fileStore: {
        // A file system keeps some of its volume for itself: a store that thinks it has all of it fills the disk.
        maxSize: `${Math.floor(volume * 1024 * 0.9)}Mi`,
        pvc: { size: `${volume}Gi`, ...(storageClass === undefined ? {} : { storageClassName: storageClass }) },
      },
    },
    ...(leafnodes === undefined ? {} : { leafnodes: { enabled: true } }),
    ...gatewayValues(topology.region, gateway),
    // The chart lets everybody in.
    merge: {
      accounts: {
        // Leaf nodes and gateways at once need an account of their own for what servers tell each other.
        SYS: { users: [passwordOf("system")] },
        APP: { jetstream: "enabled", users: nkeys.length > 0 ? nkeys.map((nkey) => ({ nkey })) : [passwordOf("app")] },
      },
      system_account: "SYS",
    },
  };
}

function problems(topology: Topology, settings: Settings): ReleaseProblem[] {
  const { replicas: count, gateway } = settings;
  const { region } = topology;
  const servers = plan(topology, settings).count;
  return [
    ...(gateway !== undefined && servers < 3
      ? [
          {
            path: "gateway",
            found: `a gateway of ${servers === 1 ? "one server" : `${servers} servers`}`,
            allowed: "three servers or more: JetStream of a super-cluster does not start without neighbours",
            fix: "write platform.nats.replicas: 3 where one site has three machines, or remove the gateway",
          },
        ]
      : []),
    ...(count !== undefined && count % 2 === 0
      ? [
          {
            path: "replicas",
            found: `${count}`,
            allowed: "an odd number: one server more than an odd number makes no majority safer",
            fix: `write ${count - 1} or ${count + 1}, or remove the setting`,
          },
        ]
      : []),
    ...(gateway !== undefined && Object.hasOwn(gateway.remotes, region)
      ? [
          {
            path: `gateway.remotes.${region}`,
            found: "this region itself",
            allowed: "other regions",
            fix: "remove it",
          },
        ]
      : []),
  ];
}

const SAVING = "save each stream (nats stream backup)";

function reshaping(before: number, after = 0): Reshaping | undefined {
  const how = `${SAVING} before the update, and bring it back after it (nats stream restore)`;
  // https://github.com/nats-io/nats-server/issues/5467
  if (before === 1 && after > 1)
    return { why: "a server that ran alone deletes its streams when it joins others", how };
  return after < before ? { why: "streams stay behind on the servers that go", how } : undefined;
}

/** NATS with JetStream: messages between services, and streams that keep them. */
export const nats = defineRelease({
  name: "nats",
  section: "Databases and messaging",
  summary: "messages between services and streams that keep them, ready for leaf nodes and for other regions",
  home: "https://docs.nats.io/running-a-nats-service/nats-kubernetes",
  kind: "chart",
  namespace: "nats",
  podSecurity: "restricted",
  timeoutSeconds: 600,
  schema,
  values: (topology, settings) => {
    const { spot, count } = plan(topology, settings);
    return {
      config: configValues(topology, settings, count),
      container: { env: environment(settings), resources: resourcesOf(REQUESTS, LIMIT), merge: CONTAINER },
      reloader: { merge: { ...CONTAINER, resources: resourcesOf(RELOADER, 64) } },
      podTemplate: { merge: { spec: podSpec(spot.nodeSelector) } },
      // A shell that stands there all day and could do everything.
      natsBox: { enabled: false },
    };
  },
  workloads: (topology, settings) => {
    const { spot, count } = plan(topology, settings);
    const requests = { cpu: REQUESTS.cpu + RELOADER.cpu, memory: REQUESTS.memory + RELOADER.memory };
    return [
      {
        name: "nats",
        replicas: count,
        requests,
        spot,
        apart: true,
        volumeGiB: settings.size,
        replication: "synchronous",
      },
    ];
  },
  lasting: {
    facts: (topology, settings) => ({ replicas: plan(topology, settings).count }),
    reshaping: (_fact, before, after) => reshaping(before, after),
  },
  saving: SAVING,
  podAnnotations: (annotations) => ({ podTemplate: { merge: { metadata: { annotations } } } }),
  secrets: (_topology, settings) => secrets(settings),
  objects: (topology, settings) => [routesForMembers, ...edgeService(plan(topology, settings).ports)],
  claims: (topology, settings) => ({ ports: plan(topology, settings).ports }),
  problems,
});
