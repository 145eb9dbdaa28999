/** A value of a manifest, as YAML has it. */
export type Tree = Readonly<Record<string, unknown>>;

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);
/** The object at a key; empty where there is none. */
export const under = (tree: unknown, ...keys: readonly string[]): Tree => {
  let value: unknown = tree;
  for (const key of keys) value = isTree(value) ? value[key] : undefined;
  return isTree(value) ? value : {};
};
/** The objects of the list at a key. */
export const listUnder = (tree: Tree, key: string): readonly Tree[] => {
  const value = tree[key];
  return Array.isArray(value) ? value.filter(isTree) : [];
};

/** The pods of a manifest that run all the time, and how many of them. */
export interface PodTemplate {
  /** `Deployment/name`. */
  readonly name: string;
  readonly replicas: number | "every-node";
  readonly metadata: Tree;
  readonly spec: Tree;
  /** Whether it is a hook or a job: it runs for a moment. */
  readonly passing: boolean;
}

const LASTING = new Set(["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"]);

/** Every pod template in a list of manifests. */
export function podTemplates(manifests: readonly Tree[]): PodTemplate[] {
  return manifests.flatMap((manifest) => {
    const kind = String(manifest["kind"]);
    const hook = under(manifest, "metadata", "annotations")["helm.sh/hook"];
    // `helm test` alone starts these, and nobody runs it.
    if (typeof hook === "string" && hook.split(",").some((word) => word.trim().startsWith("test"))) return [];
    const job = kind === "CronJob" ? under(manifest, "spec", "jobTemplate", "spec", "template") : undefined;
    const template = kind === "Pod" ? manifest : (job ?? under(manifest, "spec", "template"));
    const spec = under(template, "spec");
    if (listUnder(spec, "containers").length === 0) return [];
    const replicas = under(manifest, "spec")["replicas"];
    return [
      {
        name: `${kind}/${String(under(manifest, "metadata")["name"])}`,
        replicas: kind === "DaemonSet" ? "every-node" : typeof replicas === "number" ? replicas : 1,
        metadata: under(template, "metadata"),
        spec,
        passing: !LASTING.has(kind) || hook !== undefined,
      },
    ];
  });
}

/** All containers of a pod. */
export const containersOf = ({ spec }: PodTemplate): readonly Tree[] => [
  ...listUnder(spec, "initContainers"),
  ...listUnder(spec, "containers"),
];
