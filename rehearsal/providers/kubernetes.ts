import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../world/cluster.ts";
import { DURATIONS } from "../world/durations.ts";
import type { World } from "../world/world.ts";
import type { Operation, StandIn, StandInType } from "./stand-in.ts";
import { hasUnknown, type Value, type Values } from "../../provider/protocol/wire.ts";

const SOURCE = "https://github.com/pulumi/pulumi-kubernetes/blob/v4.34.2/provider/pkg/provider/";

const object = (value: Value | undefined): Values =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Values) : {};
const text = (value: Value | undefined): string => (typeof value === "string" ? value : "");

/** What the real provider says while it waits on another operation: Helm's own words. */
export const HELM_LOCKED = "another operation (install/upgrade/rollback) is in progress";

/** The cluster behind the provider instance, as the kubeconfig's authority names it. */
function clusterOf(world: World, { configuration }: Operation): Cluster {
  const region = text(configuration["clusterIdentifier"]);
  const cluster = world.cluster(region);
  if (cluster?.apiUp() === true) return cluster;
  throw new Error(
    `configured Kubernetes cluster is unreachable: unable to load schema information from the API server: the server of ${region || "no named cluster"} did not answer`,
  );
}

function changed(world: World, operation: Operation, action: string, what: string, seconds: number): void {
  world.durations.set(operation.name, (world.durations.get(operation.name) ?? 0) + seconds);
  world.record({
    kind: "change",
    resource: operation.name,
    host: "",
    script: "kubernetes",
    action,
    node: "",
    text: what,
    seconds,
  });
}

function namespaceType(world: World): StandInType {
  const nameOf = ({ inputs, name }: Operation): string => text(object(inputs["metadata"])["name"]) || name;
  return {
    token: "kubernetes:core/v1:Namespace",
    // Labels and annotations are patched; the world's namespaces never change their name in place (see replaces below).
    replaceOn: ["metadata.name"],
    source: `${SOURCE}diff.go (forceNewProperties: .metadata.name)`,
    computed: ["status"],
    defaults: { apiVersion: "v1", kind: "Namespace" },
    create: async (operation) => {
      const cluster = clusterOf(world, operation);
      const name = nameOf(operation);
      await sleep(1);
      // No silent adoption since 4.29: https://github.com/pulumi/pulumi-kubernetes/issues/2926
      if (cluster.namespaces.has(name)) throw new Error(`namespaces "${name}" already exists`);
      cluster.namespaces.add(name);
      changed(world, operation, "create", `namespace ${name} created`, DURATIONS.object);
      return { id: name, outputs: { status: { phase: "Active" } } };
    },
    update: (operation) => {
      clusterOf(world, operation);
      changed(world, operation, "update", `namespace ${operation.id} changed`, DURATIONS.object);
      return Promise.resolve({ status: { phase: "Active" } });
    },
    delete: (operation) => {
      clusterOf(world, operation).namespaces.delete(operation.id);
      changed(world, operation, "delete", `namespace ${operation.id} deleted`, DURATIONS.object);
      return Promise.resolve();
    },
  };
}

/** Any other object: a Secret, a ConfigMap, a custom resource. What its kind would do with it is not played. */
function objectType(world: World, token: string): StandInType | undefined {
  const [, version = "", kind = ""] = /^kubernetes:([^:]+):([A-Za-z0-9]+)$/.exec(token) ?? [];
  if (kind === "" || kind.endsWith("Patch") || kind.endsWith("List")) return undefined;
  const keyOf = ({ inputs, name }: Operation): string => {
    const metadata = object(inputs["metadata"]);
    const [namespace, own] = [text(metadata["namespace"]), text(metadata["name"]) || name];
    return `${kind} ${namespace === "" ? "" : `${namespace}/`}${own}`;
  };
  return {
    token,
    replaceOn: ["metadata.name", "metadata.namespace"],
    source: `${SOURCE}diff.go (forceNewProperties: .metadata.name, .metadata.namespace)`,
    computed: [],
    defaults: { apiVersion: version.replace(/^core\//, ""), kind },
    ...(kind === "Secret" ? { secretOutputs: ["data", "stringData"] } : {}),
    create: async (operation) => {
      const cluster = clusterOf(world, operation);
      const namespace = text(object(operation.inputs["metadata"])["namespace"]);
      await sleep(1);
      if (namespace !== "" && !cluster.namespaces.has(namespace)) {
        throw new Error(`namespaces "${namespace}" not found`);
      }
      const key = keyOf(operation);
      if (cluster.objects.has(key)) throw new Error(`${key} already exists`);
      cluster.objects.add(key);
      changed(world, operation, "create", `${key} created`, DURATIONS.object);
      return { id: key.slice(key.indexOf(" ") + 1), outputs: {} };
    },
    update: (operation) => {
      clusterOf(world, operation);
      changed(world, operation, "update", `${keyOf(operation)} changed`, DURATIONS.object);
      return Promise.resolve({});
    },
    delete: (operation) => {
      clusterOf(world, operation).objects.delete(keyOf(operation));
      changed(world, operation, "delete", `${keyOf(operation)} deleted`, DURATIONS.object);
      return Promise.resolve();
    },
  };
}

/** Installs or upgrades, as Helm does: nothing works on a release that another operation holds. */
function helm(world: World, operation: Operation, status: "install" | "upgrade"): Values {
  const cluster = clusterOf(world, operation);
  const { inputs } = operation;
  const [namespace, name] = [text(inputs["namespace"]) || "default", text(inputs["name"]) || operation.name];
  if (!cluster.namespaces.has(namespace) && inputs["createNamespace"] !== true) {
    throw new Error(`create: failed to create: namespaces "${namespace}" not found`);
  }
  const key = `${namespace}/${name}`;
  const release = cluster.releases.get(key);
  if (release?.status.startsWith("pending-") === true) throw new Error(HELM_LOCKED);
  if (status === "install" && release?.status === "deployed")
    throw new Error("cannot re-use a name that is still in use");
  const revision = (release?.revision ?? 0) + 1;
  const version = text(inputs["version"]);
  cluster.releases.set(key, { namespace, name, version, revision, status: "deployed" });
  changed(world, operation, status, `release ${key} ${version} revision ${revision}`, DURATIONS.release);
  return {
    status: {
      name,
      namespace,
      revision,
      status: "deployed",
      version,
      chart: text(inputs["chart"]),
      appVersion: version,
    },
    resourceNames: {},
    manifest: {},
  };
}

function releaseType(world: World): StandInType {
  return {
    token: "kubernetes:helm.sh/v3:Release",
    replaceOn: ["name", "namespace"],
    source: `${SOURCE}helm_release.go (Diff: name and namespace force a new release)`,
    computed: ["status", "resourceNames", "manifest"],
    // Filled in by the real provider's check; without them a preview would show them come and go.
    defaults: { atomic: false, skipAwait: false },
    create: async (operation) => {
      await sleep(1);
      const outputs = helm(world, operation, "install");
      return { id: `${text(operation.inputs["namespace"])}/${text(operation.inputs["name"])}`, outputs };
    },
    update: async (operation) => {
      await sleep(1);
      return helm(world, operation, "upgrade");
    },
    delete: (operation) => {
      const cluster = clusterOf(world, operation);
      if (cluster.releases.get(operation.id)?.status.startsWith("pending-") === true) throw new Error(HELM_LOCKED);
      cluster.releases.delete(operation.id);
      changed(world, operation, "delete", `release ${operation.id} uninstalled`, DURATIONS.object);
      return Promise.resolve();
    },
  };
}

/**
 * Which provider inputs replace the provider, and with it everything in the cluster: a kubeconfig that changed or is
 * not known yet, unless a fixed identifier says that the cluster is the same (DiffConfig in provider.go of 4.34.2).
 */
function replacesProvider(olds: Values, news: Values): string[] {
  const [before, after] = [olds["clusterIdentifier"], news["clusterIdentifier"]];
  if (after !== undefined && !hasUnknown(after))
    return before === undefined || before === after ? [] : ["clusterIdentifier"];
  return ["kubeconfig", "context", "cluster"].filter(
    (name) => hasUnknown(news[name]) || JSON.stringify(olds[name]) !== JSON.stringify(news[name]),
  );
}

/** Stands in for the Kubernetes provider: namespaces, Helm releases and other objects in the world's clusters. */
export const kubernetesStandIn = (world: World): StandIn => ({
  name: "kubernetes",
  version: "4.34.2",
  types: [namespaceType(world), releaseType(world)],
  otherTypes: (token) => objectType(world, token),
  replacesProvider,
});
