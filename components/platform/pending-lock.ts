import * as pulumi from "@pulumi/pulumi";

/** Which Helm release, in which cluster. */
export interface ReleaseAddress {
  readonly name: string;
  readonly namespace: string;
}

/**
 * Ends what an interrupted install or upgrade of a release left half-done, in the cluster of a kubeconfig.
 * @returns the names of the records that it removed; none if no lock was found
 */
export type ClearPendingRelease = (kubeconfig: string, release: ReleaseAddress) => Promise<readonly string[]>;

/** Helm's words for a release that another operation holds: https://github.com/helm/helm/blob/v3.19.0/pkg/action/action.go */
const HELD = /another operation \(install\/upgrade\/rollback\) is in progress/;

/**
 * A hook that frees a release whose last update was cut off, and lets it be tried again.
 *
 * Helm marks a release as pending while it works and nothing ever removes the mark when it is killed: every later run
 * fails until a person deletes a Secret (https://github.com/pulumi/pulumi-kubernetes/issues/2054). The stack's own lock
 * makes sure that no second run of this stack is at work.
 */
export function pendingLockHook(
  name: string,
  release: ReleaseAddress,
  kubeconfig: pulumi.Output<string>,
  clear: ClearPendingRelease,
): pulumi.ErrorHook {
  return new pulumi.ErrorHook(name, async ({ errors }) => {
    if (!HELD.test(errors[0] ?? "")) return false;
    const text = await new Promise<string>((resolve) => {
      kubeconfig.apply((value) => {
        resolve(value);
      });
    });
    const removed = await clear(text, release);
    if (removed.length === 0) return false;
    await pulumi.log.warn(
      `release ${release.namespace}/${release.name} was left half-done by an interrupted update: removed ${removed.join(", ")} and trying again`,
    );
    return true;
  });
}
