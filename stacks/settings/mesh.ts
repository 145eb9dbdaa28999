import { z } from "zod";
import type { MeshSettings } from "../../components/mesh/mesh-settings.ts";
import { isPrivateRange, isIpv4Address } from "../../components/network/cidr.ts";
import { byName, isHost, isLabelValue } from "../../components/network/names.ts";
import { parseDuration } from "../../components/network/units.ts";
import type { Versions } from "../versions.ts";
import type { Rule } from "../../components/strict-schema.ts";
import { RULES } from "./rules.ts";
import { hidden, secret } from "../../components/secret-schema.ts";
import { present } from "../../components/present.ts";
import { kinds, saying, strict, text, wholeNumber } from "../../components/strict-schema.ts";

/** The client's packages, where the settings name no mirror. https://pkgs.tailscale.com/stable/, https://docs.netbird.io/how-to/installation */
const PACKAGES = { tailscale: "https://pkgs.tailscale.com/stable", netbird: "https://pkgs.netbird.io" };
/** Longer, and a key that gets lost lets somebody in for a day or more. Seconds. */
const LONGEST_LIFETIME = 24 * 3600;

const isAddress = (value: string): boolean => /^https?:\/\/[^\s@?#]+$/.test(value) && URL.canParse(value);

/** A directory on the machines themselves is a mirror, too. */
const isPackages = (value: string): boolean => isAddress(value) || /^file:\/\/\/[^\s?#]+$/.test(value);

/** An API key travels to this address: plain HTTP goes over networks of one's own only. */
function isControlAddress(value: string): boolean {
  if (!isAddress(value)) return false;
  const { protocol, hostname, pathname } = new URL(value);
  if (pathname !== "/") return false;
  const near = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  return protocol === "https:" || near || (isIpv4Address(hostname) && isPrivateRange(`${hostname}/32`));
}

const controlAddress = text(RULES.controlAddress, isControlAddress).transform((value) => value.replace(/\/$/, ""));
/** One word, and not one that people take for it. */
const word = (mistaken: RegExp) => (value: string) => /^\S+$/.test(value) && !mistaken.test(value);
const NO_MISTAKE = /^$/;

const operators = (list: Rule, one: Rule, isOne: (value: string) => boolean) =>
  z
    .array(text(one, isOne), saying(list))
    .min(1, saying(list))
    .transform((values) => [...new Set(values)].sort(byName));

/** https://tailscale.com/docs/reference/syntax/policy-file: what may stand as a source. */
const isOperator = (value: string): boolean =>
  /^(?:group|tag|autogroup):[A-Za-z][A-Za-z0-9_-]*$/.test(value) || /^[^\s@]+@[^\s@]*$/.test(value);

const client = (port: number, packages: string) => ({
  version: text(RULES.clientVersion, (value) => /^\d+\.\d+\.\d+$/.test(value)).optional(),
  packages: text(RULES.packages, isPackages).default(packages),
  port: wholeNumber(RULES.meshPort, 1024, 65535).default(port),
  keyLifetime: text(RULES.keyLifetime, (value) => (parseDuration(value) ?? Infinity) <= LONGEST_LIFETIME)
    .transform((value) => parseDuration(value) ?? 0)
    .default(3600),
});

const tailscale = strict({
  provider: z.literal("tailscale"),
  tailnet: text(RULES.tailnet, (value) => value === "-" || isHost(value) || /^[^\s@/]+@[^\s@/]+$/.test(value)).default(
    "-",
  ),
  tag: text(RULES.meshTag, (value) => /^tag:[a-zA-Z][a-zA-Z0-9-]*$/.test(value)).optional(),
  headscale: strict({ url: controlAddress }).optional(),
  baseUrl: controlAddress.optional(),
  policy: z.enum(["managed", "merge", "external"], saying(RULES.meshPolicy)).default("merge"),
  operators: operators(RULES.operators, RULES.operator, isOperator).optional(),
  ...client(41641, PACKAGES.tailscale),
  apiKey: secret(RULES.meshApiKey, word(/^tskey-(?:auth|client)-/)).optional(),
  oauthClientId: hidden(RULES.meshClientId, word(/^tskey-/)).optional(),
  oauthClientSecret: secret(RULES.meshClientSecret, word(/^tskey-(?:auth|api)-/)).optional(),
  identityToken: secret(RULES.meshIdentityToken, word(NO_MISTAKE)).optional(),
});

/** A setup key of NetBird, which people take for a token, is a UUID in upper case. */
const SETUP_KEY = /^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$/;

const netbird = strict({
  provider: z.literal("netbird"),
  url: controlAddress.default("https://api.netbird.io"),
  group: text(RULES.meshGroup, (value) => value !== "" && isLabelValue(value)).optional(),
  operators: operators(RULES.netbirdOperators, RULES.netbirdOperator, (value) => value.trim() !== ""),
  ...client(51820, PACKAGES.netbird),
  token: secret(RULES.netbirdToken, word(SETUP_KEY)).optional(),
});

/** The mesh, as a user writes it. */
export const meshSchema = z
  .discriminatedUnion(
    "provider",
    [strict({ provider: z.literal("none") }), tailscale, netbird],
    kinds(RULES.meshProvider),
  )
  .default({ provider: "none" });

/** The mesh with what follows from the region's name and from versions.yaml. Secrets stay behind: see `loadMeshCredentials`. */
export function normaliseMesh(
  parsed: z.output<typeof meshSchema>,
  region: string,
  versions: Pick<Versions, "mesh">,
): MeshSettings {
  if (parsed.provider === "none") return { provider: "none" };
  const { version, packages, port, keyLifetime: keyLifetimeSeconds } = parsed;
  const same = { version: version ?? versions.mesh[parsed.provider], packages, port, keyLifetimeSeconds };
  if (parsed.provider === "netbird") {
    const { provider, url, group, operators: who } = parsed;
    return { provider, url, group: group ?? `k3s-${region}`, operators: who, ...same };
  }
  const { provider, tailnet, tag, headscale, baseUrl, policy, operators: who } = parsed;
  return present({
    provider,
    tailnet,
    tag: tag ?? `tag:k3s-${region}`,
    headscaleUrl: headscale?.url,
    baseUrl,
    policy,
    operators: who ?? ["autogroup:admin"],
    ...same,
  });
}
