import type { ReleaseAddress, ReleaseAid } from "../components/platform/release-aid.ts";
import { ClusterApi } from "./cluster-api.ts";
import { isReady, podTrouble, unreadySeconds, type Pod } from "./pods.ts";

interface StatefulSet {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly updateStrategy?: { readonly type?: string } };
  readonly status?: { readonly updateRevision?: string };
}

/** How long a pod has time to become ready before it counts as broken. Seconds. */
const PATIENCE = 30;

const secretsOf = ({ namespace }: ReleaseAddress): string => `/api/v1/namespaces/${namespace}/secrets`;
const podsOf = ({ namespace }: ReleaseAddress): string => `/api/v1/namespaces/${namespace}/pods`;

/** Helm keeps each revision in a Secret whose label says its state: https://helm.sh/docs/topics/advanced/#storage-backends */
async function clearPending(kubeconfig: string, release: ReleaseAddress): Promise<readonly string[]> {
  const api = new ClusterApi(kubeconfig);
  const labelSelector = `owner=helm,name=${release.name},status in (pending-install,pending-upgrade,pending-rollback)`;
  const found = await api.list<{ readonly metadata: { readonly name: string } }>(secretsOf(release), { labelSelector });
  const names = found.map(({ metadata }) => metadata.name);
  for (const name of names) await api.delete(`${secretsOf(release)}/${name}`);
  return names;
}

/** Only what the rollout would replace anyway: a pod of the newest revision, or one that works, is left alone. */
async function deleteHeldPods(kubeconfig: string, release: ReleaseAddress): Promise<readonly string[]> {
  const api = new ClusterApi(kubeconfig);
  const sets = await api.list<StatefulSet>(`/apis/apps/v1/namespaces/${release.namespace}/statefulsets`);
  const newest = new Map(
    sets
      .filter(
        ({ metadata, spec }) =>
          metadata.annotations?.["meta.helm.sh/release-name"] === release.name &&
          // There, a person decides when a pod goes.
          spec?.updateStrategy?.type !== "OnDelete",
      )
      .map(({ metadata, status }) => [metadata.name, status?.updateRevision]),
  );
  const held = (await api.list<Pod>(podsOf(release))).filter((pod) => {
    const { ownerReferences = [], labels = {}, deletionTimestamp } = pod.metadata;
    const set = ownerReferences.find(({ kind }) => kind === "StatefulSet")?.name ?? "";
    const revision = newest.get(set);
    return (
      revision !== undefined &&
      labels["controller-revision-hash"] !== revision &&
      deletionTimestamp === undefined &&
      unreadySeconds(pod) > PATIENCE
    );
  });
  for (const { metadata } of held) await api.delete(`${podsOf(release)}/${metadata.name}`);
  return held.map(({ metadata }) => `pod ${metadata.name}`);
}

async function troubles(kubeconfig: string, release: ReleaseAddress): Promise<readonly string[]> {
  const pods = await new ClusterApi(kubeconfig).list<Pod>(podsOf(release));
  return pods.filter((pod) => !isReady(pod)).map(podTrouble);
}

/** What is done for a release of a real cluster, through the Kubernetes API. */
export const releaseAid: ReleaseAid = { clearPending, deleteHeldPods, troubles };
