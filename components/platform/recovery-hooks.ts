import { AsyncLocalStorage } from "node:async_hooks";
import * as pulumi from "@pulumi/pulumi";
import { HeldPodsWatch } from "./held-pods-watch.ts";
import type { ClearedLock, ReleaseAddress, ReleaseAid } from "./release-aid.ts";

/**
 * Helm's words for a release that an interrupted operation holds, or an interrupted install:
 * https://github.com/helm/helm/blob/v3.20.2/pkg/action/action.go, https://github.com/helm/helm/blob/v3.20.2/pkg/action/install.go
 */
const HELD =
  /another operation \(install\/upgrade\/rollback\) is in progress|cannot re-use a name that is still in use/;

/**
 * Helm's words for an upgrade of a release that it has no record of, or of which nothing was ever installed. The provider
 * upgrades whatever stands in the state: only a refresh asks Helm.
 * https://github.com/helm/helm/blob/v3.20.2/pkg/action/upgrade.go,
 * https://github.com/pulumi/pulumi-kubernetes/blob/v4.34.2/provider/pkg/provider/helm_release.go
 */
const UNKNOWN = /has no deployed releases/;

/** What makes an update install anew what Helm does not know. */
const REFRESH =
  "run pulumi refresh, which takes what Helm has no record of out of the state, and then pulumi up, which installs it";

/** Lines that are shown of what is wrong with pods; one cause often has many. */
const SHOWN = 6;

/** An output's value: by the time that a hook runs, it is known. */
const valueOf = (output: pulumi.Output<string>): Promise<string> =>
  new Promise((resolve) => {
    output.apply((value) => {
      resolve(value);
    });
  });

/**
 * Hooks that get a release going again where a person would otherwise have to work in the cluster, and that say what is
 * wrong where they cannot.
 *
 * - Helm marks a release as pending while it works and nothing ever removes the mark when it is killed: every later run
 *   fails until a person deletes a Secret (https://github.com/pulumi/pulumi-kubernetes/issues/2054). The stack's own lock
 *   makes sure that no second run of this stack is at work.
 * - Broken pods that a stateful set waits for: see {@link HeldPodsWatch}. They are looked for during the update, because an
 *   update that fails and is tried again keeps its failure in the state, and the next preview is not clean.
 */
export function recoveryHooks(
  name: string,
  release: ReleaseAddress,
  kubeconfig: pulumi.Output<string>,
  aid: ReleaseAid,
): pulumi.ResourceHookBinding {
  // Hooks are called from outside the program's context, in which alone a message reaches the engine.
  const inProgram = AsyncLocalStorage.snapshot();
  const warn = (text: string): Promise<void> =>
    inProgram(() => pulumi.log.warn(`release ${release.namespace}/${release.name} ${text}`));
  const watch = new HeldPodsWatch(release, aid, (pods) =>
    warn(`waited for ${pods.join(", ")}, which an earlier update left broken: deleted, so that the new one follows`),
  );
  const before = new pulumi.ResourceHook(`${name}-before-update`, async () => {
    watch.start(await valueOf(kubeconfig));
  });
  const after = new pulumi.ResourceHook(`${name}-after-update`, () => watch.stop());
  const failed = new pulumi.ErrorHook(`${name}-on-error`, async ({ errors, failedOperation }) => {
    await watch.stop();
    const access = await valueOf(kubeconfig);
    const [error = ""] = errors;
    if (failedOperation === "update" && UNKNOWN.test(error)) {
      await warn(`stands in the state, and Helm has nothing of it that it could upgrade: ${REFRESH}`);
      return false;
    }
    if (!HELD.test(error)) {
      await warnOfTroubles(await aid.troubles(access, release).catch(() => []), warn);
      return false;
    }
    const again = await freed(() => aid.clearPending(access, release), failedOperation, warn);
    if (again) watch.start(access);
    return again;
  });
  return { beforeUpdate: [before], afterUpdate: [after], onError: [failed] };
}

/**
 * Removes the lock of a release, and says what came of it. What fails here must not take the place of the failure itself.
 * @returns whether it is worth another try
 */
async function freed(
  clear: () => Promise<ClearedLock>,
  operation: string,
  warn: (text: string) => Promise<void>,
): Promise<boolean> {
  const { removed, recordsLeft, trouble } = await clear().then(
    (cleared) => ({ ...cleared, trouble: "" }),
    (error: unknown) => ({ removed: [], recordsLeft: true, trouble: (error as Error).message }),
  );
  if (trouble !== "")
    await warn(`seems to be held by an interrupted update, and its lock could not be looked at or removed: ${trouble}`);
  if (removed.length === 0) return false;
  const found = `was left half-done by an interrupted update: removed ${removed.join(", ")}`;
  if (operation === "update" && !recordsLeft) {
    await warn(`${found}, which was all that Helm had of it: ${REFRESH}`);
    return false;
  }
  await warn(`${found} and trying again`);
  return true;
}

/** The failure itself is told by the engine; this is what stands behind it. */
async function warnOfTroubles(troubles: readonly string[], warn: (text: string) => Promise<void>): Promise<void> {
  if (troubles.length === 0) return;
  const more = troubles.length > SHOWN ? [`and ${troubles.length - SHOWN} more`] : [];
  await warn(["is not ready:", ...troubles.slice(0, SHOWN), ...more].join("\n  "));
}
