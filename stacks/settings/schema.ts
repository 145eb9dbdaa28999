import { z } from "zod";
import { canonicalCidr, cidrPrefix, isCidr, isIpv4Address } from "../../components/network/cidr.ts";
import { byName, isDnsLabel, isHost, isLabelValue } from "../../components/network/names.ts";
import { parseDuration } from "../../components/network/units.ts";
import { parseHostKey } from "./host-key.ts";
import { labelKeyRule, parseTaint } from "./labels.ts";
import { rawConfigRule } from "./raw-config.ts";
import type { Rule } from "./problem.ts";
import { RULES } from "./rules.ts";
import { parseK3sVersion } from "./version.ts";
import { breaking, keyRuledBy, kinds, named, saying, strict, text, wholeNumber } from "./zod-problems.ts";

/** A range in canonical form within prefix bounds, both included. */
export const cidr = (rule: Rule, shortest: number, longest: number) =>
  text(
    rule,
    (value) =>
      isCidr(value) && canonicalCidr(value) === value && cidrPrefix(value) >= shortest && cidrPrefix(value) <= longest,
    (value) =>
      isCidr(value) && canonicalCidr(value) !== value
        ? `clear the bits behind the prefix: ${canonicalCidr(value)}`
        : undefined,
  );

const host = text(RULES.host, isHost);
const user = text(RULES.user, (value) => /^[a-z_][a-z0-9_-]{0,31}$/.test(value));
const port = wholeNumber(RULES.port, 1, 65535);
const zone = text(RULES.zone, (value) => value !== "" && isLabelValue(value));
const hostKey = text(RULES.hostKey, (value) => parseHostKey(value) !== undefined).transform(
  (value) => parseHostKey(value) ?? value,
);
const duration = text(RULES.duration, (value) => parseDuration(value) !== undefined).transform(
  (value) => parseDuration(value) ?? 0,
);
const raw = (rule: Rule) => z.record(z.string(), z.unknown(), saying(rule));
const names = (list: Rule, item: z.ZodType<string, string>) =>
  z.array(item, saying(list)).transform((values) => [...new Set(values)].sort(byName));

const jump = z.union(
  [z.literal("none"), strict({ host, port: port.default(22), user: user.default("root"), hostKey })],
  saying(RULES.jump),
);
const labels = z.record(keyRuledBy(labelKeyRule), text(RULES.labelValue, isLabelValue), saying(RULES.labels));
const taint = text(RULES.taint, (value) => parseTaint(value) !== undefined);
const taints = z
  .array(taint, saying(RULES.taints))
  .superRefine((values, context) => {
    const kinds = values.map((value) => parseTaint(value)).map((parsed) => parsed && `${parsed.key}:${parsed.effect}`);
    kinds.forEach((kind, index) => {
      if (kinds.indexOf(kind) < index) context.addIssue(breaking(RULES.taintTwice, [index]));
    });
  })
  .transform((values) => values.toSorted(byName).flatMap((value) => parseTaint(value) ?? []));

/** What a site, a pool or a machine may say about the way in; the nearest one counts. */
const access = { user: user.optional(), port: port.optional(), jump: jump.optional() };
/** What a pool or a machine may say about its nodes. */
const node = { labels: labels.default({}), taints: taints.optional(), zone: zone.optional() };

const machine = strict({
  address: text(RULES.address, isIpv4Address),
  hostKey,
  sshAddress: host.optional(),
  generation: wholeNumber(RULES.generation, 1).default(1),
  ...access,
  ...node,
});

const pool = strict({
  role: z.enum(["server", "agent"], saying(RULES.role)),
  ...access,
  ...node,
  machines: named(RULES.machines, machine),
});

const existingSite = strict({
  provider: z.literal("existing"),
  lan: cidr(RULES.lan, 8, 30),
  zone: zone.optional(),
  ...access,
  pools: named(RULES.pools, pool),
});

const kubernetes = strict({
  version: text(RULES.version, (value) => parseK3sVersion(value) !== undefined),
  cni: z.literal("flannel", saying(RULES.cni)).default("flannel"),
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

const certManager = strict({
  replicas: wholeNumber(RULES.replicas, 1, 9).default(1),
  values: raw(RULES.values).default({}),
});

/** The settings as a user writes them, below `hybrid-k3s:`. */
export const settingsSchema = strict({
  region: z.string(saying(RULES.region)),
  kubernetes,
  mesh: z
    .discriminatedUnion("provider", [strict({ provider: z.literal("none") })], kinds(RULES.meshProvider))
    .default({ provider: "none" }),
  sites: named(RULES.sites, z.discriminatedUnion("provider", [existingSite], kinds(RULES.siteProvider))),
  platform: strict({ "cert-manager": certManager.optional() }).prefault({}),
  accept: z
    .record(
      z.string(),
      text(RULES.reason, (value) => value.trim() !== ""),
      saying(RULES.accept),
    )
    .default({}),
  // Read on its own, as a secret: see `loadSshPrivateKey`. Named here so that it is no unknown key.
  sshPrivateKey: z.unknown().optional(),
});

/** The settings after defaults and units: still by name, as written. */
export type ParsedSettings = z.output<typeof settingsSchema>;
/** A site as parsed. */
export type ParsedSite = z.output<typeof existingSite>;
/** A pool as parsed. */
export type ParsedPool = z.output<typeof pool>;
/** A machine as parsed: what the pool says is not merged in yet. */
export type ParsedMachine = z.output<typeof machine>;
/** A host in between, as parsed. */
export type ParsedJump = z.output<typeof jump>;

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
