import type { ClearedLock, ReleaseAddress, ReleaseAid } from "../components/platform/release-aid.ts";
import { ClusterApi, type Identity } from "./cluster-api.ts";
import { heldPods, type StatefulSet } from "./held-pods.ts";
import { isReady, podTrouble, type Pod } from "./pods.ts";

interface HelmRecord {
  readonly metadata: Identity;
}

/** Helm's words for a revision that is being worked on. https://github.com/helm/helm/blob/v3.20.2/pkg/release/status.go */
const PENDING = "(pending-install,pending-upgrade,pending-rollback)";

const secretsOf = ({ namespace }: ReleaseAddress): string => `/api/v1/namespaces/${namespace}/secrets`;
const podsOf = ({ namespace }: ReleaseAddress): string => `/api/v1/namespaces/${namespace}/pods`;

/** Helm keeps each revision in a Secret whose label says its state: https://helm.sh/docs/topics/advanced/#storage-backends */
async function clearPending(kubeconfig: string, release: ReleaseAddress): Promise<ClearedLock> {
  const api = new ClusterApi(kubeconfig);
  const own = `owner=helm,name=${release.name}`;
  const records = (more: string, limit: Readonly<Record<string, string>> = {}): Promise<readonly HelmRecord[]> =>
    api.list<HelmRecord>(secretsOf(release), { labelSelector: `${own},${more}`, ...limit });
  const pending = await records(`status in ${PENDING}`);
  if (pending.length === 0) return { removed: [], recordsLeft: true };
  // Asked first: what is removed must be told, whatever fails after it. One answers the question, and each is large.
  const settled = await records(`status notin ${PENDING}`, { limit: "1" });
  for (const { metadata } of pending) await api.delete(secretsOf(release), metadata);
  return { removed: pending.map(({ metadata }) => metadata.name), recordsLeft: settled.length > 0 };
}

/** Only what the rollout would replace anyway: a pod of the newest revision, or one that works, is left alone. */
async function deleteHeldPods(
  kubeconfig: string,
  release: ReleaseAddress,
  ended: AbortSignal,
): Promise<readonly string[]> {
  const api = new ClusterApi(kubeconfig);
  const sets = await api.list<StatefulSet>(`/apis/apps/v1/namespaces/${release.namespace}/statefulsets`);
  const deleted: string[] = [];
  for (const { metadata } of heldPods(release.name, sets, await api.list<Pod>(podsOf(release)))) {
    if (ended.aborted) break;
    // One that cannot be deleted is found again by the next look, and takes nothing from what is told of the others.
    if (await api.delete(podsOf(release), metadata).catch(() => false)) deleted.push(`pod ${metadata.name}`);
  }
  return deleted;
}

async function troubles(kubeconfig: string, release: ReleaseAddress): Promise<readonly string[]> {
  const pods = await new ClusterApi(kubeconfig).list<Pod>(podsOf(release));
  return pods.filter((pod) => !isReady(pod)).map(podTrouble);
}

/** What is done for a release of a real cluster, through the Kubernetes API. */
export const releaseAid: ReleaseAid = { clearPending, deleteHeldPods, troubles };
