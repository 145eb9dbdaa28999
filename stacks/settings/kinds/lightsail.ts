import { z } from "zod";
import { BLUEPRINTS, bundleIds, bundleOf, ZONES } from "../../../components/lightsail/catalog.ts";
import type { LightsailMachineSettings, LightsailSiteSettings } from "../../sites/lightsail-settings.ts";
import { RULES } from "../rules.ts";
import {
  cloudAccess,
  cidr,
  diskSize,
  generation,
  labels,
  nearest,
  nodeAddresses,
  oneOf,
  openness,
  relaying,
  role,
  tags,
  taints,
} from "../schema-pieces.ts";
import { machinesIn, specOf, type Placed } from "../site-machines.ts";
import { present } from "../../../components/present.ts";
import { breaking, named, saying, strict, text } from "../../../components/strict-schema.ts";

/** The private range of Lightsail instances. */
const LAN = "172.26.0.0/16";
const BLUEPRINT = "amazon_linux_2023";

/** What a site, a pool or a machine may say about its instances; the nearest one counts. */
const instance = {
  blueprint: oneOf("blueprints", Object.keys(BLUEPRINTS).sort()).optional(),
  bundle: oneOf("bundles", bundleIds, (value) => bundleOf(value) !== undefined).optional(),
  disk: diskSize.optional(),
  snapshots: text(RULES.snapshots, (value) => /^(?:[01]\d|2[0-3]):00$/.test(value)).optional(),
};

const machine = strict({
  zone: text(RULES.awsZone, (value) => /^[a-z]$/.test(value)),
  generation,
  labels: labels.default({}),
  taints: taints.optional(),
  ...openness,
  ...relaying,
  ...instance,
});

const pool = strict({
  role,
  ingress: z.boolean(saying(RULES.switch)).default(false),
  labels: labels.default({}),
  taints: taints.optional(),
  ...openness,
  ...relaying,
  ...instance,
  machines: named(RULES.machines, machine),
});

const site = strict({
  provider: z.literal("lightsail"),
  awsRegion: oneOf("regions", Object.keys(ZONES)),
  lan: cidr(RULES.lan, 8, 30).default(LAN),
  nodeAddresses,
  access: cloudAccess.optional(),
  tags: tags.default({}),
  ...instance,
  pools: named(RULES.pools, pool),
});

/** A site of kind `lightsail`, as a user writes it. */
export const lightsailSite = site.superRefine((value, context) => {
  const letters = ZONES[value.awsRegion] ?? [];
  for (const [poolName, { machines, ...around }] of Object.entries(value.pools)) {
    for (const [name, own] of Object.entries(machines)) {
      const path = ["pools", poolName, "machines", name];
      // A region, or a letter, that is wrong already has a line of its own.
      if (letters.length > 0 && own.zone.length === 1 && !letters.includes(own.zone)) {
        const allowed = `a zone of ${value.awsRegion}: ${letters.join(", ")}`;
        context.addIssue(breaking({ allowed, fix: nearest(own.zone, letters) }, [...path, "zone"]));
      }
      if ((own.bundle ?? around.bundle ?? value.bundle) === undefined) {
        context.addIssue(breaking(RULES.bundleMissing, [...path, "bundle"]));
      }
    }
  }
});

type Parsed = z.output<typeof site>;

function machineSettings(placed: Placed<Parsed>): LightsailMachineSettings {
  const { site: whole, pool: around, machine: own } = placed;
  const availabilityZone = `${whole.awsRegion}${own.zone}`;
  return present({
    ...specOf(placed),
    zone: availabilityZone,
    availabilityZone,
    blueprint: own.blueprint ?? around.blueprint ?? whole.blueprint ?? BLUEPRINT,
    bundle: own.bundle ?? around.bundle ?? whole.bundle ?? "",
    diskGiB: own.disk ?? around.disk ?? whole.disk,
    snapshotAt: own.snapshots ?? around.snapshots ?? whole.snapshots,
    ingress: around.ingress,
  });
}

/** The site with its defaults; the machines sorted by name. */
export const normaliseLightsailSite = (name: string, parsed: Parsed): LightsailSiteSettings => ({
  name,
  provider: parsed.provider,
  awsRegion: parsed.awsRegion,
  lan: parsed.lan,
  nodeAddresses: parsed.nodeAddresses,
  accessFrom: parsed.access?.from ?? [],
  tags: parsed.tags,
  machines: machinesIn(name, parsed).map(machineSettings),
});
