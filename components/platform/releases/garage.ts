import type { z } from "zod";
import { type Rule, wholeNumber } from "../../strict-schema.ts";
import { noValues } from "../no-values.ts";
import type { Reshaping } from "../lasting.ts";
import { defineRelease } from "../release.ts";
import { releaseSettings, size, word } from "../release-settings.ts";
import { ANY_SITE, keptFact, NODE_LABELS, replicasIn, spotFor } from "../spot.ts";
import { nodesIn, type Topology } from "../topology.ts";
import { garageObjects, type GarageZone, METADATA_GIB, NAMESPACE, REQUESTS, SECRET } from "./garage-objects.ts";

const RULES = {
  nodes: {
    allowed: "a whole number from 1 to 9",
    fix: "remove the setting for three nodes in all, where there is room",
  },
  factor: { allowed: "1, 2 or 3", fix: "write how many copies of each object there are" },
} as const satisfies Record<string, Rule>;

const schema = releaseSettings({
  nodesPerSite: wholeNumber(RULES.nodes, 1, 9)
    .optional()
    .describe("Nodes in each site, each on a machine of its own; left out: so many that there are three in all"),
  replicationFactor: wholeNumber(RULES.factor, 1, 3)
    .optional()
    .describe("Copies of each object, in different sites where there are some; left out: three, or one a node"),
  size: size().prefault("50GiB").describe("Volume of each node for objects"),
  storageClass: word().optional().describe("Its StorageClass; left out: the cluster's default"),
  region: word().default("garage").describe("Name of the region that S3 clients state"),
});
type Settings = z.output<typeof schema>;

function plan(topology: Topology, settings: Settings) {
  const { place } = settings;
  // Made for several places: every site that stays, unless one is named.
  const site = place.site ?? (place.pool === undefined ? ANY_SITE : undefined);
  const spot = spotFor(topology, { ...place, site }, "steady");
  const sites = [...new Set(spot.pools.map((pool) => pool.site))];
  const zones = sites.map((name): GarageZone => {
    const pools = spot.pools.filter((pool) => pool.site === name);
    const own = { ...spot, pools, nodeSelector: { ...spot.nodeSelector, [NODE_LABELS.site]: name } };
    return {
      site: name,
      nodes:
        settings.nodesPerSite ??
        keptFact(place, `nodesPerSite.${name}`, nodesIn(pools)) ??
        replicasIn(own, Math.ceil(3 / sites.length)),
      spot: own,
    };
  });
  const total = zones.reduce((sum, { nodes }) => sum + nodes, 0);
  const factor =
    settings.replicationFactor ?? keptFact(place, "replicationFactor", total) ?? Math.max(1, Math.min(3, total));
  return { zones, total, factor };
}

function facts(topology: Topology, settings: Settings): Record<string, number> {
  const { zones, factor } = plan(topology, settings);
  return {
    replicationFactor: factor,
    ...Object.fromEntries(zones.map(({ site, nodes }) => [`nodesPerSite.${site}`, nodes])),
  };
}

function reshaping(fact: string, before: number, after = 0): Reshaping | undefined {
  if (fact === "replicationFactor")
    return {
      why: "Garage does not start with another factor than its layout was made for",
      how: "copy all objects to another store, build Garage anew, and copy them back",
    };
  return after < before
    ? {
        why: "a node that goes takes along the copies that it has, and its share of the capacity",
        how: "take each node that goes out of the layout first (garage layout remove, then apply), and wait until its copies are elsewhere",
      }
    : undefined;
}

/**
 * Garage: object storage over several sites. Upstream's chart is published nowhere and makes one StatefulSet whose nodes do
 * not know where they are; so its objects are made here, one StatefulSet a site.
 */
export const garage = defineRelease({
  name: "garage",
  section: "Object storage",
  summary: "object storage that speaks S3, with copies in several sites; docs/garage.md has the steps after it",
  home: "https://garagehq.deuxfleurs.fr/documentation/",
  kind: "objects",
  namespace: NAMESPACE,
  podSecurity: "restricted",
  timeoutSeconds: 600,
  schema,
  values: () => ({}),
  workloads: (topology, settings) =>
    plan(topology, settings).zones.map(({ site, nodes, spot }) => ({
      name: `garage-${site}`,
      replicas: nodes,
      requests: REQUESTS,
      spot,
      apart: true,
      volumeGiB: settings.size + METADATA_GIB,
      // A write waits for most of its copies, whichever are first: what it was made for, and no stop where a line is down.
      replication: "asynchronous",
    })),
  lasting: { facts, reshaping },
  saving: "copy all objects to another store",
  secrets: () => [{ name: SECRET, entries: { rpc: { hex: 64 }, admin: { password: 40 } } }],
  objects: (topology, settings) => {
    const { zones, factor } = plan(topology, settings);
    return garageObjects(zones, { ...settings, replicationFactor: factor });
  },
  problems: (topology, settings) => {
    const { total, factor } = plan(topology, settings);
    return [
      ...(factor > total
        ? [
            {
              path: "replicationFactor",
              found: `${factor} copies on ${total === 1 ? "one node" : `${total} nodes`}`,
              allowed: `at most ${total}, one copy a node`,
              fix: "write a smaller number, or more nodesPerSite",
            },
          ]
        : []),
      ...noValues(settings.values, "objects of your own"),
    ];
  },
});
