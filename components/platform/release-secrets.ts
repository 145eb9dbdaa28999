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
  return { resource, publicKeys };
}
