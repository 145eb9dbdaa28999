import type { ClearPendingRelease } from "../../components/platform/pending-lock.ts";
import type { World } from "./world.ts";

/** Name of the Secret in which Helm keeps a revision: https://helm.sh/docs/topics/advanced/#storage-backends */
const recordName = (name: string, revision: number): string => `sh.helm.release.v1.${name}.v${revision}`;

/** Frees a release of the world that an interrupted operation holds, as stacks/clear-pending-release.ts does in a cluster. */
export const clearSimulatedRelease =
  (world: World): ClearPendingRelease =>
  (_kubeconfig, { name, namespace }) => {
    const removed: string[] = [];
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
      }
    }
    return Promise.resolve(removed);
  };
