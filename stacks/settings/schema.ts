import { z } from "zod";
import { CATALOGUE } from "../../components/platform/catalogue.ts";
import { byName, isDnsLabel } from "../../components/network/names.ts";
import { ciliumSchema } from "./cilium.ts";
import { existingSite } from "./kinds/existing.ts";
import { hetznerSite } from "./kinds/hetzner.ts";
import { lightsailSite } from "./kinds/lightsail.ts";
import { limaSite } from "./kinds/lima.ts";
import { meshSchema } from "./mesh.ts";
import type { Rule } from "../../components/strict-schema.ts";
import { rawConfigRule } from "./raw-config.ts";
import { RULES } from "./rules.ts";
import { cidr, duration, host } from "./schema-pieces.ts";
import { parseK3sVersion } from "./version.ts";
import { keyRuledBy, kinds, named, saying, strict, text, wholeNumber } from "../../components/strict-schema.ts";

const raw = (rule: Rule) => z.record(z.string(), z.unknown(), saying(rule));
const names = (list: Rule, item: z.ZodType<string, string>) =>
  z.array(item, saying(list)).transform((values) => [...new Set(values)].sort(byName));

const kubernetes = strict({
  version: text(RULES.version, (value) => parseK3sVersion(value) !== undefined),
  cni: z.enum(["flannel", "cilium"], saying(RULES.cni)).default("flannel"),
  flannelBackend: z.enum(["vxlan", "wireguard-native"], saying(RULES.flannelBackend)).default("vxlan"),
  cilium: ciliumSchema.optional(),
  endpoint: host.optional(),
  tlsSans: names(RULES.hosts, host).default([]),
  parallelism: wholeNumber(RULES.parallelism, 1).default(5),
  mirror: text(RULES.mirror, (value) => /^(?:https?|file):\/\/[^\s@]+$/.test(value) && URL.canParse(value)).optional(),
  hardening: strict({
    enabled: z.boolean(saying(RULES.switch)).default(true),
    podSecurity: z.enum(["restricted", "baseline", "privileged"], saying(RULES.podSecurity)).default("restricted"),
    exemptNamespaces: names(RULES.namespaces, text(RULES.namespace, isDnsLabel)).default([]),
  }).prefault({}),
  config: z.record(keyRuledBy(rawConfigRule), z.unknown(), saying(RULES.rawConfig)).default({}),
  kubeletArguments: names(
    RULES.kubeletArguments,
    text(RULES.kubeletArgument, (value) => /^[a-z][a-z0-9-]*=.*$/.test(value)),
  ).default([]),
  registries: raw(RULES.registries).optional(),
  drainTimeout: duration.default(300),
  connectTimeout: duration.default(300),
});

/** A release is there when its key is; each says in its own file what it takes. */
const platform = strict(Object.fromEntries(CATALOGUE.map(({ name, schema }) => [name, schema.optional()])));

/** The settings as a user writes them, below `hybrid-k3s:`. */
export const settingsSchema = strict({
  region: z.string(saying(RULES.region)),
  kubernetes,
  mesh: meshSchema,
  hostFirewall: strict({ enabled: z.boolean(saying(RULES.switch)).optional() }).prefault({}),
  sites: named(
    RULES.sites,
    z.discriminatedUnion("provider", [existingSite, hetznerSite, lightsailSite, limaSite], kinds(RULES.siteProvider)),
  ),
  platform: platform.prefault({}),
  accept: z
    .record(
      z.string(),
      text(RULES.reason, (value) => value.trim() !== ""),
      saying(RULES.accept),
    )
    .default({}),
  // Read on their own, as secrets: see `loadLoginKey`. Named here so that they are no unknown keys.
  sshPrivateKey: z.unknown().optional(),
  previousSshPrivateKey: z.unknown().optional(),
});

/** The settings after defaults and units: still by name, as written. */
export type ParsedSettings = z.output<typeof settingsSchema>;
/** The schema of regions.yaml. */
export const regionsSchema = strict({
  regions: named(
    RULES.regions,
    strict({
      id: wholeNumber(RULES.regionId, 0, 63),
      pods: cidr(RULES.pods, 8, 24).optional(),
      services: cidr(RULES.services, 12, 24).optional(),
    }),
  ),
});
