/** Which Helm release, in which cluster. */
export interface ReleaseAddress {
  readonly name: string;
  readonly namespace: string;
}

/** What became of the lock of a Helm release. */
export interface ClearedLock {
  /** Names of the records that were removed; none if no lock was found. */
  readonly removed: readonly string[];
  /** Whether Helm still has a record of the release; without one, there is nothing for it to upgrade. */
  readonly recordsLeft: boolean;
}

/** What can be done for a release whose install or upgrade failed, in the cluster of a kubeconfig. */
export interface ReleaseAid {
  /** Ends what an interrupted install or upgrade left half-done. */
  readonly clearPending: (kubeconfig: string, release: ReleaseAddress) => Promise<ClearedLock>;
  /**
   * Deletes the pods that the rollouts of the release's stateful sets wait for: of an earlier revision, and not ready for
   * a while.
   * @param ended once aborted, nothing more is deleted
   * @returns what was deleted; none if nothing is held up
   */
  readonly deleteHeldPods: (
    kubeconfig: string,
    release: ReleaseAddress,
    ended: AbortSignal,
  ) => Promise<readonly string[]>;
  /** What keeps pods of the release's namespace from being ready, a line for each. */
  readonly troubles: (kubeconfig: string, release: ReleaseAddress) => Promise<readonly string[]>;
}
