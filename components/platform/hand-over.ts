import type { Manifest } from "./release.ts";
import type { Topology } from "./topology.ts";

/** Namespace of Argo CD, its projects and its applications. */
export const ARGO_NAMESPACE = "argocd";
/** How Argo CD names the cluster that it runs in. */
export const IN_CLUSTER = "https://kubernetes.default.svc";
/** The projects of what people deploy: one for what the cluster's users build on, one for what they run. */
export const HANDED_OVER = ["platform", "workloads"] as const;
/** The project of the one application that makes all others. */
export const ROOT = "root";

const ANYTHING = [{ group: "*", kind: "*" }] as const;
const NAMESPACE = { group: "", kind: "Namespace" } as const;

const project = (name: string, spec: Readonly<Record<string, unknown>>): Manifest => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind: "AppProject",
  metadata: { name, namespace: ARGO_NAMESPACE },
  spec,
});

/**
 * The projects that deploy into every namespace but those that the stack keeps, so that it and Argo CD never write one
 * object. https://argo-cd.readthedocs.io/en/stable/user-guide/projects/
 */
export const handedOverProjects = ({ ownedNamespaces }: Topology): Manifest[] =>
  HANDED_OVER.map((name) =>
    project(name, {
      description: `What ${name}/ of the config repository deploys: everywhere but where the stack does`,
      // Where something goes is the hand-over; where it comes from is for the repository's reviewers.
      sourceRepos: ["*"],
      destinations: [
        { server: IN_CLUSTER, namespace: "*" },
        ...ownedNamespaces.map((namespace) => ({ server: IN_CLUSTER, namespace: `!${namespace}` })),
      ],
      // Charts bring definitions and roles of the whole cluster with them; what people run needs its namespace alone.
      clusterResourceWhitelist: name === "platform" ? ANYTHING : [NAMESPACE],
      // A Namespace is an object of the cluster: no destination keeps it from being written.
      clusterResourceBlacklist: ownedNamespaces.map((namespace) => ({ ...NAMESPACE, name: namespace })),
    }),
  );

/** The project of the root application: it makes applications, and nothing that could widen a project. */
export const rootProject = (repository: string): Manifest =>
  project(ROOT, {
    description: "The application that follows the config repository and makes all others",
    sourceRepos: [repository],
    destinations: [{ server: IN_CLUSTER, namespace: ARGO_NAMESPACE }],
    clusterResourceWhitelist: [],
    namespaceResourceWhitelist: [
      { group: "argoproj.io", kind: "Application" },
      { group: "argoproj.io", kind: "ApplicationSet" },
      { group: "argocd-image-updater.argoproj.io", kind: "ImageUpdater" },
    ],
  });

/** Argo CD's own project `default`, which an application gets that names none, permits everything: this one nothing. */
export const closedDefaultProject: Manifest = project("default", {
  description: "Closed: an application names platform or workloads",
  sourceRepos: [],
  sourceNamespaces: [],
  destinations: [],
  namespaceResourceBlacklist: ANYTHING,
});
