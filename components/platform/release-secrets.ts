import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import type { SecretDefinition, SecretEntry } from "./release.ts";

/** A Secret, and the public halves of the keys in it. */
export interface ReleaseSecret {
  readonly resource: kubernetes.core.v1.Secret;
  /** By `<secret>/<key>`, in authorized_keys form. */
  readonly publicKeys: Readonly<Record<string, pulumi.Output<string>>>;
  /** What is in it, by `<secret>/<key>`. */
  readonly content: Readonly<Record<string, pulumi.Output<string>>>;
}

/** What the resources of a Secret share. */
export interface SecretSurroundings {
  readonly namespace: string;
  /** Parent of what is made once and kept in the state: passwords and keys. */
  readonly parent: pulumi.Resource;
  readonly options: pulumi.CustomResourceOptions;
}

/** Makes a Secret of a release. What the stack makes itself is made once: it changes when its resource is replaced on purpose. */
export function releaseSecret(
  name: string,
  definition: SecretDefinition,
  { namespace, parent, options }: SecretSurroundings,
): ReleaseSecret {
  const publicKeys: Record<string, pulumi.Output<string>> = {};
  const content = (key: string, entry: SecretEntry): pulumi.Output<string> => {
    if ("text" in entry) return pulumi.secret(entry.text);
    if ("password" in entry) {
      return new random.RandomPassword(`${name}-${key}`, { length: entry.password, special: false }, { parent }).result;
    }
    if ("hex" in entry) {
      const alphabet = { upper: false, lower: false, special: true, overrideSpecial: "abcdef" };
      return new random.RandomPassword(`${name}-${key}`, { length: entry.hex, ...alphabet }, { parent }).result;
    }
    const pair = new tls.PrivateKey(`${name}-${key}`, { algorithm: "ED25519" }, { parent });
    publicKeys[`${definition.name}/${key}`] = pair.publicKeyOpenssh.apply((line) => line.trim());
    return pair.privateKeyOpenssh;
  };
  const stringData = Object.fromEntries(
    Object.entries(definition.entries).map(([key, entry]) => [key, content(key, entry)]),
  );
  const labels = definition.labels === undefined ? {} : { labels: definition.labels };
  const resource = new kubernetes.core.v1.Secret(
    name,
    {
      metadata: { name: definition.name, namespace, ...labels },
      ...(definition.type === undefined ? {} : { type: definition.type }),
      stringData,
    },
    { ...options, additionalSecretOutputs: ["data", "stringData"] },
  );
  const named = Object.entries(stringData).map(([key, value]) => [`${definition.name}/${key}`, value] as const);
  return { resource, publicKeys, content: Object.fromEntries(named) };
}

/**
 * Annotations that change when Secrets do. The text is random and made anew with every content: pods are seen by more
 * people than Secrets, and a digest would let them try out what a short password may be.
 */
export function revisionOf(
  name: string,
  secrets: readonly ReleaseSecret[],
  parent: pulumi.Resource,
): Readonly<Record<string, pulumi.Output<string>>> {
  const keepers = Object.assign({}, ...secrets.map(({ content }) => content)) as ReleaseSecret["content"];
  const revision = new random.RandomId(
    `${name}-secrets-revision`,
    { byteLength: 8, keepers },
    { parent, additionalSecretOutputs: ["keepers"] },
  );
  return { "hybrid-k3s.io/secrets-revision": revision.hex };
}
