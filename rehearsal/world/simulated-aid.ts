import type { ReleaseAid } from "../../components/platform/release-aid.ts";
import type { World } from "./world.ts";

/** Name of the Secret in which Helm keeps a revision: https://helm.sh/docs/topics/advanced/#storage-backends */
const recordName = (name: string, revision: number): string => `sh.helm.release.v1.${name}.v${revision}`;

/** What stacks/release-aid.ts does in a cluster, done in the world. Its pods are not played: none is ever held up. */
export const simulatedAid = (world: World): ReleaseAid => ({
  clearPending: (_kubeconfig, { name, namespace }) => {
    const removed: string[] = [];
    let recordsLeft = true;
    for (const cluster of world.clusters) {
      const release = cluster.releases.get(`${namespace}/${name}`);
      if (release?.status.startsWith("pending-") !== true) continue;
      removed.push(recordName(name, release.revision));
      // The record of the interrupted revision goes; an earlier one is what Helm finds then.
      if (release.revision > 1) {
        release.revision--;
        release.status = "deployed";
      } else {
        cluster.releases.delete(`${namespace}/${name}`);
        recordsLeft = false;
      }
    }
    return Promise.resolve({ removed, recordsLeft });
  },
  deleteHeldPods: () => Promise.resolve([]),
  troubles: () => Promise.resolve([]),
});
