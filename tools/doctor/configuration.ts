import { readFileSync } from "node:fs";
import { z } from "zod";
import type { RegionSettings } from "../../stacks/region-settings.ts";
import { decoded, parseSettings } from "../../stacks/settings.ts";

const NAMESPACE = "hybrid-k3s:";
const REGIONS_FILE = new URL("../../regions.yaml", import.meta.url);
const KEYS = ["sshPrivateKey", "previousSshPrivateKey"] as const;

const configJson = z.record(
  z.string(),
  z.object({ value: z.string().default(""), secret: z.boolean().default(false) }),
);

/** A stack's settings, in plain text. */
export interface StackConfiguration {
  readonly settings: RegionSettings;
  /** Keys that log in to machines, in order of preference. Secret. */
  readonly privateKeys: readonly string[];
  /** The `mesh` setting as it stands there, credentials included. Secret. */
  readonly mesh: unknown;
}

/**
 * Reads a stack's configuration.
 * @param printed what `pulumi config --json --show-secrets` printed
 * @throws Error with every problem and its fix
 */
export function readConfiguration(printed: string): StackConfiguration {
  const entries = Object.entries(configJson.parse(JSON.parse(printed)))
    .filter(([key]) => key.startsWith(NAMESPACE))
    .map(([key, entry]) => [key.slice(NAMESPACE.length), entry] as const);
  const isKey = (name: string): boolean => (KEYS as readonly string[]).includes(name);
  const values = Object.fromEntries(
    entries
      .filter(([name]) => !isKey(name))
      .map(([name, { value }]) => [name, name === "region" ? value : decoded(value)]),
  );
  const secret = new Set(entries.filter(([name, entry]) => entry.secret && !isKey(name)).map(([name]) => name));
  const settings = parseSettings(values, readFileSync(REGIONS_FILE, "utf8"), secret);
  const keyOf = (name: string): string => entries.find(([one]) => one === name)?.[1].value.trim() ?? "";
  const privateKeys = KEYS.map(keyOf).filter((key) => key !== "");
  if (privateKeys.length === 0) {
    throw new Error(
      `sshPrivateKey: found nothing · allowed an encrypted SSH private key · fix: pulumi config set --secret ${NAMESPACE}sshPrivateKey < ~/.ssh/id_ed25519`,
    );
  }
  return { settings, privateKeys, mesh: values["mesh"] };
}
