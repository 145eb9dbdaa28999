import { isReady, unreadySeconds, type Pod } from "./pods.ts";

/** What is read of a stateful set: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#statefulset-v1-apps */
export interface StatefulSet {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly podManagementPolicy?: string;
    readonly ordinals?: { readonly start?: number };
    readonly updateStrategy?: { readonly type?: string; readonly rollingUpdate?: { readonly partition?: number } };
  };
  readonly status?: { readonly updateRevision?: string };
}

/** How long a pod has time to become ready before it counts as broken. Seconds. */
const PATIENCE = 30;

const ordinalOf = ({ metadata }: Pod): number => Number(metadata.name.slice(metadata.name.lastIndexOf("-") + 1));

/** Of an earlier revision, broken, and made anew with the newest one once it is gone. */
function isHeld({ spec, status }: StatefulSet, pod: Pod): boolean {
  const { labels = {}, deletionTimestamp } = pod.metadata;
  // Below its partition, a set makes a pod anew as it was.
  const first = (spec?.ordinals?.start ?? 0) + (spec?.updateStrategy?.rollingUpdate?.partition ?? 0);
  return (
    status?.updateRevision !== undefined &&
    labels["controller-revision-hash"] !== status.updateRevision &&
    deletionTimestamp === undefined &&
    ordinalOf(pod) >= first &&
    unreadySeconds(pod) > PATIENCE
  );
}

/**
 * The pod that a set's rollout waits for, if that is a broken one of an earlier revision.
 *
 * A set goes through its pods upwards and goes no further than the first that is not ready; only one whose pods are
 * independent goes through them downwards:
 * https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/controller/statefulset/stateful_set_control.go
 */
function heldPodOf(set: StatefulSet, pods: readonly Pod[]): Pod | undefined {
  const own = pods
    .filter(({ metadata }) =>
      (metadata.ownerReferences ?? []).some(({ kind, name }) => kind === "StatefulSet" && name === set.metadata.name),
    )
    .sort((one, other) => ordinalOf(one) - ordinalOf(other));
  if (set.spec?.podManagementPolicy === "Parallel") return own.findLast((pod) => isHeld(set, pod));
  const waitedFor = own.find((pod) => !isReady(pod) || pod.metadata.deletionTimestamp !== undefined);
  return waitedFor !== undefined && isHeld(set, waitedFor) ? waitedFor : undefined;
}

/** The broken pods that the stateful sets of a Helm release wait for now, at most one of each. */
export const heldPods = (release: string, sets: readonly StatefulSet[], pods: readonly Pod[]): readonly Pod[] =>
  sets
    .filter(
      ({ metadata, spec }) =>
        metadata.annotations?.["meta.helm.sh/release-name"] === release &&
        // There, a person decides when a pod goes.
        spec?.updateStrategy?.type !== "OnDelete",
    )
    .flatMap((set) => heldPodOf(set, pods) ?? []);
