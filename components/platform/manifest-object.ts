import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Manifest } from "./release.ts";

/** Kinds without a group have no generic resource: their names in the engine are not made of their version alone. */
const CORE = {
  ConfigMap: kubernetes.core.v1.ConfigMap,
  LimitRange: kubernetes.core.v1.LimitRange,
  Namespace: kubernetes.core.v1.Namespace,
  ResourceQuota: kubernetes.core.v1.ResourceQuota,
  Service: kubernetes.core.v1.Service,
  ServiceAccount: kubernetes.core.v1.ServiceAccount,
} as const;

/** How far the versions of a kind are usually numbered. https://kubernetes.io/docs/reference/using-api/#api-versioning */
const VERSIONS = [1, 2, 3].flatMap((major) => [
  `v${major}`,
  ...["alpha", "beta"].flatMap((stage) => [1, 2, 3, 4].map((minor) => `v${major}${stage}${minor}`)),
]);

/**
 * What an object is called in the engine under the other versions of its kind. An object of another version is another type
 * there: without these the next version would be made while the object stands, which the API refuses.
 */
const otherVersions = (apiVersion: string, kind: string): pulumi.Alias[] => {
  const [group = "", version] = apiVersion.split("/");
  return VERSIONS.filter((other) => other !== version).map((other) => ({
    type: `kubernetes:${group}/${other}:${kind}`,
  }));
};

/**
 * An object whose content is a secret, in the state and in previews. What says which object it is stays readable: its
 * kind, its name and its namespace decide what is made and what is replaced.
 */
export function secretManifest({ apiVersion, kind, metadata, ...content }: Manifest): Manifest {
  const hidden = Object.entries(content).map(([field, value]) => [field, pulumi.secret(value)] as const);
  return { apiVersion, kind, metadata, ...Object.fromEntries(hidden) };
}

/**
 * A Kubernetes object as a resource of the stack.
 * @throws Error for a kind without a group that is not listed here; a Secret is never one: see release-secrets.ts
 */
export function manifestObject(
  name: string,
  manifest: Manifest,
  options: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  const { apiVersion, kind, ...fields } = manifest;
  if (apiVersion.includes("/"))
    return new kubernetes.apiextensions.CustomResource(
      name,
      { apiVersion, kind, ...fields },
      { ...options, aliases: otherVersions(apiVersion, kind) },
    );
  const core = CORE[kind as keyof typeof CORE] as
    (new (name: string, args: object, options: pulumi.CustomResourceOptions) => pulumi.CustomResource) | undefined;
  if (core === undefined) throw new Error(`${name}: no resource is known for ${apiVersion} ${kind}`);
  return new core(name, fields, options);
}
