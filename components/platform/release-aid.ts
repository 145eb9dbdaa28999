/** Which Helm release, in which cluster. */
export interface ReleaseAddress {
  readonly name: string;
  readonly namespace: string;
}

/** What can be done for a release whose install or upgrade failed, in the cluster of a kubeconfig. */
export interface ReleaseAid {
  /**
   * Ends what an interrupted install or upgrade left half-done.
   * @returns the names of the records that it removed; none if no lock was found
   */
  readonly clearPending: (kubeconfig: string, release: ReleaseAddress) => Promise<readonly string[]>;
  /**
   * Deletes the pods of an earlier revision of the release's stateful sets that have not been ready for a while: the new
   * revision waits for them.
   * @returns the names of the pods; none if nothing is held up
   */
  readonly deleteHeldPods: (kubeconfig: string, release: ReleaseAddress) => Promise<readonly string[]>;
  /** What keeps pods of the release's namespace from being ready, a line for each. */
  readonly troubles: (kubeconfig: string, release: ReleaseAddress) => Promise<readonly string[]>;
}
