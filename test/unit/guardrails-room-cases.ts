import { type Case, HOST_KEY, type MachineLine } from "./guardrails-cases.ts";

const SMALL = { cpus: 2, memory: "4GiB" };
const sized = (lines: readonly MachineLine[], more: Record<string, unknown> = SMALL): MachineLine[] =>
  lines.map(([line]) => [line, more]);

/** Three servers in a rack and three agents in an attic: two sites. */
export const TWO_SITES: readonly MachineLine[] = sized([
  ["rack/server a 10.20.0.11"],
  ["rack/server b 10.20.0.12"],
  ["rack/server c 10.20.0.13"],
  ["attic/agent d 192.168.1.4"],
  ["attic/agent e 192.168.1.5"],
  ["attic/agent f 192.168.1.6"],
]);
/** A site with three pools of one machine each. */
const threePools = (third: number): Record<string, unknown> => ({
  provider: "existing",
  lan: `10.${third}.0.0/24`,
  pools: Object.fromEntries(
    [1, 2, 3].map((number) => [
      `p${number}`,
      {
        role: "agent",
        ...SMALL,
        machines: { [`m${third}-${number}`]: { address: `10.${third}.0.1${number}`, hostKey: HOST_KEY } },
      },
    ]),
  ),
});
/** Nine pools in three sites, beside the servers. */
const NINE_POOLS = {
  machines: sized([["rack/server a 10.20.0.11"], ["rack/server b 10.20.0.12"], ["rack/server c 10.20.0.13"]]),
  sites: { s1: threePools(31), s2: threePools(32), s3: threePools(33) },
};
const twoDatabases = { main: { memory: "2GiB" }, other: { memory: "2GiB" } };
const operated = { "cert-manager": {}, "cloudnative-pg": {} };

/** Three servers, of which two are kept for something else. */
const PARTLY_TAINTED: readonly MachineLine[] = [
  ["rack/server a 10.20.0.11", SMALL],
  ["rack/server b 10.20.0.12", { ...SMALL, taints: ["dedicated=db:NoSchedule"] }],
  ["rack/server c 10.20.0.13", { ...SMALL, taints: ["dedicated=db:NoSchedule"] }],
];

/** Cases of the guardrails that compare what releases ask for with what machines have. */
export const roomCases: Readonly<Record<string, readonly Case[]>> = {
  "over-committed": [
    { title: "a release that fits", settings: { machines: TWO_SITES, platform: { "cert-manager": {} } } },
    {
      title: "machines whose size nobody told",
      settings: { platform: { postgres: { clusters: { main: { memory: "64GiB" } } } } },
    },
    {
      title: "a pod that is larger than any machine",
      settings: { machines: TWO_SITES, platform: { postgres: { clusters: { main: { memory: "8GiB" } } } } },
      findings: [
        "platform.postgres: found a pod of main that asks for 8.0 GiB · allowed at most 3.4 GiB, what the largest machine of attic/agent has beside k3s · fix: place it on larger machines, or lower it by its settings; where values or a spec of yours lower it, which is not seen here, accept this",
      ],
    },
    {
      title: "databases in a site with room for them, in a region of many pools",
      settings: { ...NINE_POOLS, platform: { ...operated, postgres: { clusters: { main: { memory: "2GiB" } } } } },
    },
    {
      title: "databases that a site of many pools has no room for, in a region that has",
      settings: {
        ...NINE_POOLS,
        platform: { ...operated, postgres: { clusters: twoDatabases, place: { site: "s2" } } },
      },
      findings: [
        "platform: found 12.0 GiB asked for on s2/p1, s2/p2, s2/p3 (postgres 12.0 GiB) · allowed at most 10.1 GiB, what its machines have beside k3s · fix: take a release out, give it fewer replicas, place it elsewhere, or add machines there; where values or a spec of yours lower it, which is not seen here, accept this",
      ],
    },
    {
      title: "machines that let nothing in, which are no room",
      settings: {
        machines: PARTLY_TAINTED,
        platform: {
          postgres: { clusters: { main: { memory: "2GiB", instances: 1 }, other: { memory: "2GiB", instances: 1 } } },
        },
      },
      findings: [
        "platform: found 4.0 GiB asked for on rack/server (postgres 4.0 GiB) · allowed at most 2.3 GiB, what its machines have beside k3s · fix: take a release out, give it fewer replicas, place it elsewhere, or add machines there; where values or a spec of yours lower it, which is not seen here, accept this",
      ],
    },
    {
      title: "databases that fit one by one, and not together",
      settings: {
        machines: TWO_SITES,
        platform: { postgres: { clusters: twoDatabases } },
      },
      findings: [
        "platform: found 12.0 GiB asked for on attic/agent (postgres 12.0 GiB) · allowed at most 10.1 GiB, what its machines have beside k3s · fix: take a release out, give it fewer replicas, place it elsewhere, or add machines there; where values or a spec of yours lower it, which is not seen here, accept this",
      ],
    },
  ],
  "placement-unsatisfied": [
    {
      title: "replicas on as many machines",
      settings: {
        machines: TWO_SITES,
        platform: { longhorn: { replicas: 3, place: { site: "attic", pool: "agent" } } },
      },
    },
    {
      title: "every site",
      settings: { machines: TWO_SITES, platform: { "cert-manager": { place: { site: "any" } } } },
    },
    {
      title: "a site that is not there",
      settings: { machines: TWO_SITES, platform: { longhorn: { place: { site: "cellar" } } } },
      findings: [
        'platform.longhorn.place.site: found "cellar" · allowed attic, rack, or any · fix: write the name of a site of this region',
      ],
    },
    {
      title: "a pool of another site",
      settings: { machines: TWO_SITES, platform: { longhorn: { place: { site: "attic", pool: "server" } } } },
      findings: [
        'platform.longhorn.place.pool: found "server" · allowed agent · fix: write the name of a pool of site attic',
      ],
    },
    {
      title: "more copies than machines",
      settings: { machines: TWO_SITES, platform: { longhorn: { replicas: 4, place: { site: "attic" } } } },
      findings: [
        "platform.longhorn: found 4 replicas of volumes, each on a machine of its own · allowed at most 3, the machines of attic/agent that let it in · fix: take fewer replicas, name a larger place, or add machines there without a taint",
      ],
    },
    {
      title: "replicas apart where only some machines of a pool let them in",
      settings: { machines: PARTLY_TAINTED, platform: { openbao: { replicas: 3 } } },
      findings: [
        "platform.openbao: found 3 replicas of openbao, each on a machine of its own · allowed at most 1, the machines of rack/server that let it in · fix: take fewer replicas, name a larger place, or add machines there without a taint",
      ],
    },
    {
      title: "as many as there are machines that let them in",
      settings: { machines: PARTLY_TAINTED, platform: { openbao: {} } },
    },
    {
      title: "Traefik on a pool that a taint keeps for it",
      settings: {
        machines: TWO_SITES,
        siteSettings: { attic: { pools: { agent: { ingress: true, taints: ["dedicated=ingress:NoSchedule"] } } } },
        platform: { traefik: { place: { pool: "agent" } } },
      },
    },
    {
      title: "Traefik on a pool that a taint keeps for something else",
      settings: {
        machines: TWO_SITES,
        siteSettings: { attic: { pools: { agent: { taints: ["dedicated=gpu:NoSchedule"] } } } },
        platform: { traefik: { place: { pool: "agent" } } },
      },
      findings: [
        "platform.traefik: found no pool that takes traefik · allowed a pool that pods may run on · fix: name another place, or take the taint off a pool",
      ],
    },
    {
      title: "a pool that lets no pod in",
      settings: {
        machines: TWO_SITES,
        siteSettings: { attic: { pools: { agent: { taints: ["dedicated=gpu:NoSchedule"] } } } },
        platform: { reloader: { place: { pool: "agent" } } },
      },
      findings: [
        "platform.reloader: found no pool that takes reloader · allowed a pool that pods may run on · fix: name another place, or take the taint off a pool",
      ],
    },
  ],
};
