import { z } from "zod";
import {
  type Architecture,
  IMAGES,
  mismatch,
  NETWORK_ZONES,
  serverTypeNames,
  serverTypeOf,
} from "../../../components/hetzner/catalog.ts";
import { LOAD_BALANCER_TYPES } from "../../../components/hetzner/load-balancer.ts";
import { isPrivateRange } from "../../../components/network/cidr.ts";
import { parseSize } from "../../../components/network/units.ts";
import type { HetznerMachineSettings, HetznerSiteSettings } from "../../sites/hetzner-settings.ts";
import type { Rule } from "../../../components/strict-schema.ts";
import { RULES } from "../rules.ts";
import {
  cloudAccess,
  canonical,
  cidrWithin,
  generation,
  labels,
  nodeAddresses,
  oneOf,
  openness,
  relaying,
  role,
  tags,
  taints,
} from "../schema-pieces.ts";
import { machinesIn, specOf, type Placed } from "../site-machines.ts";
import { secret } from "../../../components/secret-schema.ts";
import { present } from "../../../components/present.ts";
import { breaking, named, saying, strict, text } from "../../../components/strict-schema.ts";

const IMAGE = "debian-12";

const imageNames = Object.keys(IMAGES).sort();
const locationNames = Object.keys(NETWORK_ZONES);

const location = oneOf("locations", locationNames);
const locations = z
  .array(location, saying(RULES.locations))
  .min(1, saying(RULES.locations))
  .superRefine((values, context) => {
    values.forEach((value, index) => {
      if (values.indexOf(value) < index) context.addIssue(breaking(RULES.locationTwice, [index]));
    });
  });

/** https://docs.hetzner.cloud/reference/cloud#volumes-create-a-volume */
const volume = text(RULES.volumeSize, (value) => {
  const size = parseSize(value);
  return size !== undefined && size >= 10 && size <= 10 * 1024;
}).transform((value) => parseSize(value) ?? 0);

/** Plain HTTP would carry the token over the network in clear text: it goes to this computer only. */
function isApiAddress(value: string): boolean {
  if (!/^https?:\/\/[^\s@?#]+$/.test(value) || !URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}

/** What a site, a pool or a machine may say about its servers; the nearest one counts. */
const server = {
  type: oneOf("types", serverTypeNames).optional(),
  image: oneOf("images", imageNames).optional(),
  volume: volume.optional(),
};

const machine = strict({
  generation,
  locations: locations.optional(),
  labels: labels.default({}),
  taints: taints.optional(),
  ...openness,
  ...relaying,
  ...server,
});

const pool = strict({
  role,
  ingress: z.boolean(saying(RULES.switch)).default(false),
  publicIpv4: z.boolean(saying(RULES.switch)).optional(),
  locations: locations.optional(),
  labels: labels.default({}),
  taints: taints.optional(),
  ...openness,
  ...relaying,
  ...server,
  machines: named(RULES.machines, machine),
});

/** What takes requests in front of a site's servers. */
const balancer = strict({
  type: z.enum(LOAD_BALANCER_TYPES, saying(RULES.loadBalancerType)).default("lb11"),
  proxyProtocol: z.boolean(saying(RULES.switch)).default(false),
});

const site = strict({
  provider: z.literal("hetzner"),
  locations,
  lan: text(RULES.hetznerLan, (value) => cidrWithin(value, 8, 24) && isPrivateRange(value), canonical),
  nodeAddresses,
  access: cloudAccess.optional(),
  publicIpv4: z.boolean(saying(RULES.switch)).default(true),
  tags: tags.default({}),
  token: secret(RULES.hetznerToken, (value) => /^[A-Za-z0-9]{64}$/.test(value)).optional(),
  apiEndpoint: text(RULES.apiEndpoint, isApiAddress).optional(),
  loadBalancer: balancer.optional(),
  ...server,
  pools: named(RULES.pools, pool),
});

type Parsed = z.output<typeof site>;
type Context = Parameters<Parameters<(typeof site)["superRefine"]>[0]>[1];

const zonesOf = (values: readonly string[]): readonly string[] => [
  ...new Set(values.flatMap((value) => NETWORK_ZONES[value] ?? [])),
];

/** A private network stands in one network zone, and with it all servers of a site. */
function oneZone(value: Parsed, context: Context): void {
  const [zone, ...others] = zonesOf(value.locations);
  if (others.length > 0) context.addIssue(breaking(RULES.locationZones, ["locations"]));
  for (const [poolName, { machines, locations: ofPool }] of Object.entries(value.pools)) {
    const lists = [
      { path: ["pools", poolName], list: ofPool },
      ...Object.entries(machines).map(([name, own]) => ({
        path: ["pools", poolName, "machines", name],
        list: own.locations,
      })),
    ];
    for (const { path, list = [] } of lists) {
      if (others.length > 0 || zonesOf(list).every((one) => one === zone)) continue;
      const here = locationNames.filter((name) => NETWORK_ZONES[name] === zone).join(", ");
      const allowed = `locations of the site's network zone ${zone ?? ""}: ${here}`;
      context.addIssue(
        breaking({ allowed, fix: "make a site of its own for the other network zone" }, [...path, "locations"]),
      );
    }
  }
}

/** The nearest of what a machine, its pool and its site say, and where it stands. */
function nearestOf<Value>(
  key: string,
  [poolName, name]: readonly [string, string],
  said: readonly [Value | undefined, Value | undefined, Value | undefined],
): { readonly value: Value; readonly path: string[] } | undefined {
  const paths = [["pools", poolName, "machines", name, key], ["pools", poolName, key], [key]];
  const index = said.findIndex((one) => one !== undefined);
  const value = said[index];
  return value === undefined ? undefined : { value, path: paths[index] ?? [] };
}

/** Every machine has a type, which its locations offer and its image runs on. */
function fitting(value: Parsed, context: Context): void {
  const told = new Set<string>();
  const tell = (rule: Rule, path: string[]): void => {
    // One line for what a pool says, however many machines it has.
    if (!told.has(path.join("."))) context.addIssue(breaking(rule, path));
    told.add(path.join("."));
  };
  for (const [poolName, { machines, ...around }] of Object.entries(value.pools)) {
    for (const [name, own] of Object.entries(machines)) {
      const place = [poolName, name] as const;
      const stated = nearestOf("type", place, [own.type, around.type, value.type]);
      if (stated === undefined) {
        tell(RULES.typeMissing, ["pools", poolName, "machines", name, "type"]);
        continue;
      }
      const type = serverTypeOf(stated.value);
      const places = own.locations ?? around.locations ?? value.locations;
      // What is unknown has a line of its own already.
      if (type === undefined || zonesOf(places).length !== 1) continue;
      if (!places.some((one) => type.locations.includes(one))) tell(notOffered(stated.value, places), stated.path);
      const image = nearestOf("image", place, [own.image, around.image, value.image]);
      const architecture = mismatch(IMAGES[image?.value ?? IMAGE], type);
      if (architecture !== undefined) tell(notRunning(stated.value, architecture), image?.path ?? stated.path);
    }
  }
}

function notOffered(type: string, places: readonly string[]): Rule {
  const offered = (name: string): readonly string[] => serverTypeOf(name)?.locations ?? [];
  const able = serverTypeNames.filter((other) => places.some((one) => offered(other).includes(one)));
  return {
    allowed: `a type of ${places.join(", ")}: ${able.join(", ")}`,
    fix: `write another type, or a location that offers ${type}: ${offered(type).join(", ")}`,
  };
}

function notRunning(type: string, architecture: Architecture): Rule {
  const able = imageNames.filter((other) => IMAGES[other]?.architectures.includes(architecture));
  return {
    allowed: `an image for ${type}, whose architecture is ${architecture}: ${able.join(", ")}`,
    fix: "write another image, or another type",
  };
}

/** A site of kind `hetzner`, as a user writes it. */
export const hetznerSite = site.superRefine((value, context) => {
  oneZone(value, context);
  fitting(value, context);
  if (value.loadBalancer !== undefined && !Object.values(value.pools).some(({ ingress }) => ingress)) {
    context.addIssue(breaking(RULES.loadBalancerIdle, ["loadBalancer"]));
  }
});

function machineSettings({ site: whole, pool: around, machine: own, ...rest }: Placed<Parsed>): HetznerMachineSettings {
  return present({
    ...specOf({ site: whole, pool: around, machine: own, ...rest }),
    type: own.type ?? around.type ?? whole.type ?? "",
    image: own.image ?? around.image ?? whole.image ?? IMAGE,
    locations: own.locations ?? around.locations ?? whole.locations,
    publicIpv4: around.publicIpv4 ?? whole.publicIpv4,
    volumeGiB: own.volume ?? around.volume ?? whole.volume,
    ingress: around.ingress,
  });
}

/** The site with its defaults; the machines sorted by name. */
export const normaliseHetznerSite = (name: string, parsed: Parsed): HetznerSiteSettings =>
  present({
    name,
    provider: parsed.provider,
    networkZone: zonesOf(parsed.locations)[0] ?? "",
    lan: parsed.lan,
    nodeAddresses: parsed.nodeAddresses,
    accessFrom: parsed.access?.from ?? [],
    tags: parsed.tags,
    token: parsed.token,
    apiEndpoint: parsed.apiEndpoint,
    loadBalancer: parsed.loadBalancer && { ...parsed.loadBalancer, location: parsed.locations[0] ?? "" },
    machines: machinesIn(name, parsed).map(machineSettings),
  });
