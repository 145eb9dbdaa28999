import { z } from "zod";
import type { Manifest } from "../../components/platform/release.ts";

const kind = z.object({ group: z.string(), kind: z.string(), name: z.string().optional() });
const schema = z.object({
  sourceRepos: z.array(z.string()),
  destinations: z.array(z.object({ server: z.string(), namespace: z.string() })),
  clusterResourceWhitelist: z.array(kind).default([]),
  clusterResourceBlacklist: z.array(kind).default([]),
  namespaceResourceWhitelist: z.array(kind).optional(),
  namespaceResourceBlacklist: z.array(kind).default([]),
});

/** An object that an application would write. */
export interface ArgoObject {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** Left out for objects of the whole cluster. */
  readonly namespace?: string;
}

const SERVER = "https://kubernetes.default.svc";

const listed = (list: readonly z.output<typeof kind>[], object: ArgoObject): boolean =>
  list.some(
    ({ group, kind: name, name: only = "" }) =>
      (group === "*" || group === object.group) &&
      (name === "*" || name === object.kind) &&
      (only === "" || only === object.name),
  );

/**
 * Whether Argo CD lets an application of a project write an object, by the rules of its own source.
 * https://github.com/argoproj/argo-cd/blob/v3.4.4/pkg/apis/application/v1alpha1/app_project_types.go
 */
export function permits(project: Manifest, object: ArgoObject, server = SERVER): boolean {
  const spec = schema.parse(project["spec"]);
  if (object.namespace === undefined) {
    return listed(spec.clusterResourceWhitelist, object) && !listed(spec.clusterResourceBlacklist, object);
  }
  const allowed = spec.namespaceResourceWhitelist === undefined || listed(spec.namespaceResourceWhitelist, object);
  if (!allowed || listed(spec.namespaceResourceBlacklist, object)) return false;
  return permitsDestination(spec.destinations, object.namespace, server);
}

function permitsDestination(
  destinations: z.output<typeof schema>["destinations"],
  namespace: string,
  server: string,
): boolean {
  let matched = false;
  for (const item of destinations) {
    const serverMatches = item.server === "*" || item.server === server;
    const denies = item.namespace.startsWith("!");
    const namespaceMatches = denies
      ? item.namespace.slice(1) !== namespace
      : item.namespace === "*" || item.namespace === namespace;
    if (serverMatches && namespaceMatches) matched = true;
    else if (denies && serverMatches) return false;
  }
  return matched;
}
