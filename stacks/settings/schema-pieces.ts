import { closest } from "fastest-levenshtein";
import { z } from "zod";
import { canonicalCidr, canonicalCidr6, cidrPrefix, isCidr, isIpv4Address } from "../../components/network/cidr.ts";
import { byName, isHost, isLabelValue } from "../../components/network/names.ts";
import { parsePublicPort, publicPortsOf } from "../../components/network/public-port.ts";
import { parseDuration, parseSize } from "../../components/network/units.ts";
import type { JumpSettings } from "../sites/existing-settings.ts";
import { parseHostKey } from "./host-key.ts";
import { labelKeyRule, parseTaint } from "./labels.ts";
import type { Rule } from "../../components/strict-schema.ts";
import { RULES } from "./rules.ts";
import { breaking, keyRuledBy, saying, strict, text, wholeNumber } from "../../components/strict-schema.ts";

/** Whether a text is a range in canonical form within prefix bounds, both included. */
export const cidrWithin = (value: string, shortest: number, longest: number): boolean =>
  isCidr(value) && canonicalCidr(value) === value && cidrPrefix(value) >= shortest && cidrPrefix(value) <= longest;

/** The fix for a range that is not in canonical form; undefined where something else is wrong with it. */
export const canonical = (value: string): string | undefined =>
  isCidr(value) && canonicalCidr(value) !== value
    ? `clear the bits behind the prefix: ${canonicalCidr(value)}`
    : undefined;

/** A range in canonical form within prefix bounds, both included. */
export const cidr = (rule: Rule, shortest: number, longest: number) =>
  text(rule, (value) => cidrWithin(value, shortest, longest), canonical);

/** A DNS name or an IPv4 address. */
export const host = text(RULES.host, isHost);
/** A Linux login. */
export const user = text(RULES.user, (value) => /^[a-z_][a-z0-9_-]{0,31}$/.test(value));
/** A TCP port. */
export const port = wholeNumber(RULES.port, 1, 65535);
/** Value of a zone label. */
export const zone = text(RULES.zone, (value) => value !== "" && isLabelValue(value));
/** A pinned public host key, without its comment. */
export const hostKey = text(RULES.hostKey, (value) => parseHostKey(value) !== undefined).transform(
  (value) => parseHostKey(value) ?? value,
);
/** A duration, in seconds once parsed. */
export const duration = text(RULES.duration, (value) => parseDuration(value) !== undefined).transform(
  (value) => parseDuration(value) ?? 0,
);
/** A host in between: one that is no machine of the region, or one that is, by name. */
export const jump = z.union(
  [
    z.literal("none"),
    strict({
      host: host.optional(),
      port: port.optional(),
      user: user.optional(),
      hostKey: hostKey.optional(),
      machine: z.string(saying(RULES.jumpMachine)).optional(),
    })
      .superRefine((value, context) => {
        const { machine, host: address, hostKey: key } = value;
        if (machine === undefined) {
          if (address === undefined) context.addIssue(breaking(RULES.host, ["host"]));
          if (key === undefined) context.addIssue(breaking(RULES.hostKey, ["hostKey"]));
        } else if (Object.keys(value).length > 1) {
          context.addIssue(breaking(RULES.jump));
        }
      })
      .transform(({ machine, host: address = "", port: number = 22, user: login = "root", hostKey: key = "" }) =>
        machine === undefined ? { host: address, port: number, user: login, hostKey: key } : { machine },
      ),
  ],
  saying(RULES.jump),
);
/** Node labels of the user. */
export const labels = z.record(keyRuledBy(labelKeyRule), text(RULES.labelValue, isLabelValue), saying(RULES.labels));
const taint = text(RULES.taint, (value) => parseTaint(value) !== undefined);
/** Node taints, sorted. */
export const taints = z
  .array(taint, saying(RULES.taints))
  .superRefine((values, context) => {
    const kinds = values.map((value) => parseTaint(value)).map((parsed) => parsed && `${parsed.key}:${parsed.effect}`);
    kinds.forEach((kind, index) => {
      if (kinds.indexOf(kind) < index) context.addIssue(breaking(RULES.taintTwice, [index]));
    });
  })
  .transform((values) => values.toSorted(byName).flatMap((value) => parseTaint(value) ?? []));

/** What a site, a pool or a machine may say about the way in; the nearest one counts. */
export const login = { user: user.optional(), port: port.optional(), jump: jump.optional() };
/** What a pool or a machine may say about its nodes. */
export const node = { labels: labels.default({}), taints: taints.optional(), zone: zone.optional() };
/** Which address is the `node-ip` of a site's machines. */
export const nodeAddresses = z.enum(["lan", "mesh"], saying(RULES.nodeAddresses)).default("lan");

const publicPort = text(RULES.publicPort, (value) => parsePublicPort(value) !== undefined);
/** The same ports in the order that a firewall has them in, each once. */
const inOrder = (texts: readonly string[]): string[] =>
  texts.every((value) => parsePublicPort(value) !== undefined)
    ? publicPortsOf(texts).map(({ port: number, protocol }) => `${number}/${protocol}`)
    : [...texts];

/** What a pool or a machine may open to the world; the nearest one counts. */
export const openness = {
  publicPorts: z.array(publicPort, saying(RULES.publicPorts)).transform(inOrder).optional(),
};
/** Whether ports 80 and 443 of a pool or a machine that no cloud's firewall stands before are open to the world; the nearest one counts. */
export const ingress = { ingress: z.boolean(saying(RULES.switch)).optional() };
/** What a pool or a machine may do for the mesh; the nearest one counts. */
export const relaying = { relay: z.boolean(saying(RULES.switch)).optional() };

/** Raised by one to replace the host on purpose. */
export const generation = wholeNumber(RULES.generation, 1).default(1);
/** Whether the machines of a pool come and go, such as a laptop that sleeps. */
export const lasting = { intermittent: z.boolean(saying(RULES.switch)).optional() };
/** What the nodes of a pool are. */
export const role = z.enum(["server", "agent"], saying(RULES.role));

function isSource(value: string): boolean {
  if (isCidr(value)) return canonicalCidr(value) === value && cidrPrefix(value) >= 8;
  return canonicalCidr6(value) === value && Number(value.split("/")[1]) >= 16;
}

const source = text(RULES.accessRange, isSource, (value) => {
  if (isIpv4Address(value)) return `write ${value}/32`;
  const range6 = canonicalCidr6(value);
  return range6 === undefined || range6 === value ? canonical(value) : `clear the bits behind the prefix: ${range6}`;
});
const sources = z.array(source, saying(RULES.accessFrom)).min(1, saying(RULES.accessFrom));
const eachOnce = (values: readonly string[]): string[] => [...new Set(values)].sort(byName);

/** Who reaches SSH, and the API of servers, while no mesh does it. */
export const access = strict({ from: sources.transform(eachOnce) });
/** The same for machines that a cloud makes: the ranges are in its first script, which has no room for more. */
export const cloudAccess = strict({ from: sources.max(64, saying(RULES.accessMany)).transform(eachOnce) });

/** The size of a disk, in GiB once parsed. */
export const diskSize = text(RULES.diskSize, (value) => {
  const size = parseSize(value);
  return size !== undefined && size >= 8 && size <= 16 * 1024;
}).transform((value) => parseSize(value) ?? 0);

/** The memory of a machine, in GiB once parsed. */
export const memorySize = text(RULES.memorySize, (value) => {
  const size = parseSize(value);
  return size !== undefined && size <= 1024;
}).transform((value) => parseSize(value) ?? 0);

/** Tags or labels of a cloud's resources. */
export const tags = z.record(z.string(), text(RULES.tag, isLabelValue), saying(RULES.tags));

/** The fix for a name that is not there: the one that looks most like it. */
export const nearest = (value: string, values: readonly string[]): string =>
  `write "${closest(value, values)}" if that is what you mean`;

/**
 * A setting that is one of a list: a wrong one is answered with the list and the nearest.
 * @param passes @default whether the list has it
 */
export const oneOf = (
  what: string,
  values: readonly string[],
  passes: (value: string) => boolean = (value) => values.includes(value),
) => text({ allowed: values.join(", "), fix: `write one of these ${what}` }, passes, (value) => nearest(value, values));

/** A jump as parsed. */
export type ParsedJump = z.output<typeof jump>;

/** A jump that is given, or undefined where the nearest setting says `none` or nothing. */
export const hop = (given: ParsedJump | undefined): JumpSettings | undefined => (given === "none" ? undefined : given);
