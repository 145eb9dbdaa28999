import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { publicHalf, type LoginKey } from "../components/bootstrap/login-key.ts";
import type { MeshCredentials } from "../components/mesh/mesh-settings.ts";
import { byName } from "../components/network/names.ts";
import type { KubernetesSettings } from "../components/k3s/kubernetes-settings.ts";
import { acceptProblems } from "./guardrails.ts";
import { readRegionPlans } from "./region-plan.ts";
import type { PlatformSettings, RegionPlan, RegionSettings } from "./region-settings.ts";
import { crossShapeProblems } from "./settings/cross-shape.ts";
import { ciliumSchema, normaliseCilium } from "./settings/cilium.ts";
import { normaliseMesh } from "./settings/mesh.ts";
import { meshCredentials } from "./settings/mesh-secrets.ts";
import { formatPath, problemText, renderProblem, ruleAt, SettingsError, type Problem } from "./settings/problem.ts";
import { type ParsedSettings, settingsSchema } from "./settings/schema.ts";
import { normaliseSites } from "./settings/sites.ts";
import { present } from "../components/present.ts";
import { secretsIn } from "../components/secret-schema.ts";
import { plainIn } from "./stack-file.ts";
import { zodProblems } from "./settings/zod-problems.ts";
import { readVersions, type Versions } from "./versions.ts";

export { SettingsError } from "./settings/problem.ts";

const PRIVATE_KEY = "sshPrivateKey";
const PREVIOUS_PRIVATE_KEY = "previousSshPrivateKey";
const REGIONS_FILE = new URL("../regions.yaml", import.meta.url);

/** Sorts the keys of nested objects; the order of a list is kept, for it may mean something. */
function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => byName(one, other))
      .map(([key, inner]) => [key, sortedKeys(inner)]),
  );
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

function kubernetesSettings(parsed: ParsedSettings["kubernetes"], versions: Versions): KubernetesSettings {
  const { drainTimeout, connectTimeout, cilium: stated, ...same } = parsed;
  const cilium = same.cni === "cilium" ? normaliseCilium(stated ?? ciliumSchema.parse({}), versions) : undefined;
  return present({ ...same, cilium, drainSeconds: drainTimeout, connectSeconds: connectTimeout });
}

function regionSettings(
  parsed: ParsedSettings,
  plan: RegionPlan,
  regions: readonly RegionPlan[],
  encrypted: ReadonlySet<string>,
  versions: Versions,
): RegionSettings {
  const settings: RegionSettings = {
    region: parsed.region,
    plan,
    regions,
    kubernetes: kubernetesSettings(parsed.kubernetes, versions),
    mesh: normaliseMesh(parsed.mesh, parsed.region, versions),
    hostFirewall: { enabled: parsed.hostFirewall.enabled ?? parsed.mesh.provider !== "none" },
    sites: [],
    platform: present(parsed.platform) as unknown as PlatformSettings,
    accept: parsed.accept,
    encrypted: [...encrypted].sort(),
  };
  return deepFreeze({ ...(sortedKeys(settings) as RegionSettings), sites: normaliseSites(parsed.sites) });
}

/**
 * Reads a region's settings: schema, address plan and everything that two settings say of each other, in one go.
 * @param values settings by name without the namespace, such as `{ region: "tokyo", kubernetes: {…} }`
 * @param regionsFile the text of regions.yaml, or what it parses to
 * @param secretKeys names of settings that hold an encrypted value: no problem shows a value below them
 * @param versions what a region gets that states no version of its own
 * @returns the settings with all defaults, sorted by name and deeply frozen
 * @throws SettingsError with all problems, one line each
 */
export const parseSettings = (
  values: Record<string, unknown>,
  regionsFile: unknown,
  secretKeys: ReadonlySet<string> = new Set(),
  versions: Versions = readVersions(),
): RegionSettings => settingsOr([], values, regionsFile, secretKeys, versions);

/** The same, with problems that were found elsewhere; where a value has one of its own, that is the one to correct first. */
function settingsOr(
  more: readonly Problem[],
  values: Record<string, unknown>,
  regionsFile: unknown,
  secretKeys: ReadonlySet<string>,
  versions: Versions,
): RegionSettings {
  const { plans, problems: planProblems } = readRegionPlans(regionsFile);
  const parsed = settingsSchema.safeParse(values);
  const found = [
    ...(parsed.success ? [] : zodProblems(settingsSchema, values, parsed.error)),
    ...crossShapeProblems(values, plans),
    ...acceptProblems(values["accept"]),
    ...planProblems,
  ];
  const paths = new Set(found.map(({ path }) => formatPath(path)));
  const problems = [...found, ...more.filter(({ path }) => !paths.has(formatPath(path)))];
  const plan = plans.find(({ name }) => name === values["region"]);
  if (problems.length === 0 && parsed.success && plan !== undefined) {
    return regionSettings(parsed.data, plan, plans, secretKeys, versions);
  }
  throw new SettingsError(problems.map((problem) => renderProblem(problem, secretKeys)));
}

/** Whether a setting holds an encrypted value. The SDK knows, but its types leave the question out. */
function isEncrypted(key: string): boolean | undefined {
  const { isConfigSecret } = pulumi.runtime as { isConfigSecret?: (key: string) => boolean };
  return isConfigSecret?.(key);
}

/** A setting as the engine hands it over: objects arrive as JSON, and a text may be just that. */
export function decoded(value: string): unknown {
  try {
    const decodedValue: unknown = JSON.parse(value);
    return typeof decodedValue === "object" ? decodedValue : value;
  } catch {
    return value;
  }
}

/**
 * Reads the settings of the stack and regions.yaml.
 * @param plain tells of a path whether it stands in the stack's file as it is
 * @throws SettingsError with all problems, one line each
 */
export function loadSettings(config: pulumi.Config, plain = plainIn(pulumi.getStack(), config.name)): RegionSettings {
  const namespace = `${config.name}:`;
  const entries = Object.entries(pulumi.runtime.allConfig())
    .filter(([key]) => key.startsWith(namespace))
    .map(([key, value]) => [key.slice(namespace.length), value] as const)
    .filter(([key]) => key !== PRIVATE_KEY && key !== PREVIOUS_PRIVATE_KEY);
  const values = Object.fromEntries(entries.map(([key, value]) => [key, key === "region" ? value : decoded(value)]));
  const secrets = new Set(entries.map(([key]) => key).filter((key) => isEncrypted(namespace + key) ?? true));
  const regions = readFileSync(REGIONS_FILE, "utf8");
  return settingsOr(plainSecrets(values, secrets, plain), values, regions, secrets, readVersions());
}

/** A secret opens what it is for to everybody who has the file: it stands there encrypted, or not at all. */
const plainSecrets = (
  values: Readonly<Record<string, unknown>>,
  encrypted: ReadonlySet<string>,
  plain: (path: readonly PropertyKey[]) => boolean,
): Problem[] =>
  secretsIn(settingsSchema, values)
    .filter((found) => found.encrypted && (!encrypted.has(String(found.path[0])) || plain(found.path)))
    .map(({ path, rule }) => ({ path, found: "plain text (not shown)", ...ruleAt(path, rule), harmless: true }));

/**
 * What this computer shows to the mesh's control server; what the settings leave out, the environment has.
 * Call it once `loadSettings` has found nothing against them.
 */
export const loadMeshCredentials = (config: pulumi.Config): MeshCredentials =>
  meshCredentials(decoded(config.get("mesh") ?? ""));

/** Text of an encrypted key setting; undefined where it is not set. */
function encryptedKey(config: pulumi.Config, name: string): string | undefined {
  const key = `${config.name}:${name}`;
  const value = config.get(name);
  if (value === undefined || value === "") return undefined;
  const refuse = (found: string, allowed = "an encrypted SSH private key"): never => {
    const fix = `pulumi config set --secret ${key} < ~/.ssh/id_ed25519`;
    throw new SettingsError([problemText(name, `${found} (not shown)`, { allowed, fix })]);
  };
  if (!/^\s*-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(value)) return refuse("something else than a private key");
  if (isEncrypted(key) === false) return refuse("a private key in plain text");
  // OpenSSH cannot read a key whose last line does not end, and `pulumi config set` cuts that end off.
  const text = `${value.trim()}\n`;
  try {
    publicHalf(text);
  } catch (error) {
    return refuse((error as Error).message, "an encrypted SSH private key without a passphrase of its own");
  }
  return text;
}

/**
 * The key that this computer logs in to machines with, in OpenSSH or PEM form and without a passphrase.
 * @throws SettingsError if it is missing, stands in the file in plain text, or is not a private key
 */
export function loadLoginKey(config: pulumi.Config): LoginKey {
  const privateKey = encryptedKey(config, PRIVATE_KEY);
  const previous = encryptedKey(config, PREVIOUS_PRIVATE_KEY);
  if (privateKey === undefined) {
    const fix = `pulumi config set --secret ${config.name}:${PRIVATE_KEY} < ~/.ssh/id_ed25519`;
    const rule = { allowed: "an encrypted SSH private key", fix };
    throw new SettingsError([problemText(PRIVATE_KEY, "nothing", rule)]);
  }
  return {
    privateKey: pulumi.secret(privateKey),
    ...publicHalf(privateKey),
    ...(previous === undefined ? {} : { previous: pulumi.secret(previous) }),
  };
}
