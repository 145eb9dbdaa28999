import { parseAllDocuments } from "yaml";
import type { ReleaseDefinition } from "../../components/platform/release.ts";
import { nodesIn, type Topology } from "../../components/platform/topology.ts";
import type { Workload } from "../../components/platform/workload.ts";
import { containersOf, listUnder, type PodTemplate, podTemplates, type Tree, under } from "./pods.ts";
import { againstLevel } from "./pod-security.ts";

const UNITS = { Ki: 1 / 1024, Mi: 1, Gi: 1024, Ti: 1024 ** 2, M: 1e6 / 1024 ** 2, G: 1e9 / 1024 ** 2 } as const;

/** A quantity of Kubernetes: thousandths of a CPU, or MiB. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
export function quantity(text: unknown, resource: "cpu" | "memory"): number {
  const match = /^(?<count>[\d.]+)(?<unit>m|Ki|Mi|Gi|Ti|M|G)?$/.exec(String(text));
  if (match?.groups === undefined) return 0;
  const { count = "0", unit } = match.groups as { count?: string; unit?: keyof typeof UNITS | "m" };
  if (resource === "cpu") return unit === "m" ? Number(count) : Number(count) * 1000;
  return Number(count) * (unit === undefined || unit === "m" ? 1 / 1024 ** 2 : UNITS[unit]);
}

const podRequest = ({ spec }: PodTemplate, resource: "cpu" | "memory"): number =>
  listUnder(spec, "containers").reduce(
    (sum, container) => sum + quantity(under(container, "resources", "requests")[resource] ?? 0, resource),
    0,
  );

/** What a release's pods ask for together, by what it says of itself. */
const stated = (workloads: readonly Workload[], resource: "cpu" | "memory"): number =>
  workloads.reduce(
    (sum, { replicas, requests, spot }) =>
      sum + requests[resource] * (replicas === "every-node" ? nodesIn(spot.pools) : replicas),
    0,
  );

/** Images without a version, or with the one that changes under the same name. */
const looseImages = (pod: PodTemplate): string[] =>
  containersOf(pod)
    .map((container) => String(container["image"]))
    .filter((image) => !/@sha256:[0-9a-f]{64}$/.test(image) && (!/:[^/]+$/.test(image) || image.endsWith(":latest")))
    .map((image) => `${pod.name}: image ${image} has no fixed version`);

/** Selectors that the release says its pods have, and that a pod has not. */
function missingSelectors(pods: readonly PodTemplate[], workloads: readonly Workload[]): string[] {
  const [first] = workloads;
  if (first === undefined) return [];
  // What every workload is kept to has to stand in every pod.
  const shared = Object.entries(first.spot.nodeSelector).filter(([key, value]) =>
    workloads.every(({ spot }) => spot.nodeSelector[key] === value),
  );
  return pods
    .filter(({ passing }) => !passing)
    .flatMap(({ name, spec }) =>
      shared
        .filter(
          ([key, value]) =>
            under(spec, "nodeSelector")[key] !== value && !JSON.stringify(spec["affinity"] ?? {}).includes(key),
        )
        .map(([key, value]) => `${name}: no nodeSelector ${key}=${value}`),
    );
}

/** How far what is rendered may lie above what a release says of itself before it is a mistake. */
const TOLERANCE = { cpu: 20, memory: 32 } as const;

/**
 * What is wrong with a release's rendered manifests: against what it says of itself, and against what every release
 * keeps to. Operators start further pods later; those are stated as well, so what is stated may be more.
 */
export function inspectManifests(
  definition: ReleaseDefinition,
  topology: Topology,
  settings: unknown,
  text: string,
): string[] {
  const documents = parseAllDocuments(text, { logLevel: "error" });
  const broken = documents.flatMap(({ errors }) =>
    errors.map(({ message }) => `not YAML: ${message.split("\n")[0] ?? ""}`),
  );
  if (broken.length > 0) return broken;
  const manifests = documents
    .map((document) => document.toJS() as Tree | null)
    .filter((one): one is Tree => one !== null);
  const unnamed = manifests.filter(
    (one) => typeof one["apiVersion"] !== "string" || typeof under(one, "metadata")["name"] !== "string",
  );
  const pods = podTemplates(manifests);
  const workloads = definition.workloads(topology, settings as never);
  const everywhere = workloads.filter(({ replicas }) => replicas === "every-node");
  const nodes = Math.max(0, ...everywhere.map(({ spot }) => nodesIn(spot.pools)));
  const lasting = pods.filter(({ passing }) => !passing);
  const sums = (["cpu", "memory"] as const).flatMap((resource) => {
    const asked = lasting.reduce(
      (sum, pod) => sum + podRequest(pod, resource) * (pod.replicas === "every-node" ? nodes : pod.replicas),
      0,
    );
    const said = stated(workloads, resource);
    return asked > said + TOLERANCE[resource]
      ? [
          `its pods ask for ${Math.round(asked)} ${resource === "cpu" ? "m CPU" : "MiB"} together, and it says ${Math.round(said)}`,
        ]
      : [];
  });
  return [
    ...unnamed.map((one) => `${String(one["kind"])} has no apiVersion or no name`),
    ...pods.flatMap((pod) =>
      againstLevel(pod, definition.podSecurity).map(
        (what) => `${pod.name}: ${what} (namespace is ${definition.podSecurity})`,
      ),
    ),
    ...pods.flatMap(looseImages),
    ...missingSelectors(pods, workloads),
    ...sums,
  ];
}

/** Containers that run all the time and ask for no memory: some charts have no value for it. */
export function unsized(text: string): string[] {
  const manifests = parseAllDocuments(text, { logLevel: "error" }).map((document) => document.toJS() as Tree | null);
  return podTemplates(manifests.filter((one): one is Tree => one !== null))
    .filter(({ passing }) => !passing)
    .flatMap(({ name, spec }) =>
      listUnder(spec, "containers")
        .filter((container) => under(container, "resources", "requests")["memory"] === undefined)
        .map((container) => `${name}: ${String(container["name"])} asks for no memory`),
    );
}
