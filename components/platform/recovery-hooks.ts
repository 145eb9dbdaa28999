import { AsyncLocalStorage } from "node:async_hooks";
import * as pulumi from "@pulumi/pulumi";
import { HeldPodsWatch } from "./held-pods-watch.ts";
import type { ReleaseAddress, ReleaseAid } from "./release-aid.ts";

/**
 * Helm's words for a release that an interrupted operation holds, or an interrupted install:
 * https://github.com/helm/helm/blob/v3.20.2/pkg/action/action.go, https://github.com/helm/helm/blob/v3.20.2/pkg/action/install.go
 */
const HELD =
  /another operation \(install\/upgrade\/rollback\) is in progress|cannot re-use a name that is still in use/;

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
  const after = new pulumi.ResourceHook(`${name}-after-update`, () => {
    watch.stop();
  });
  const failed = new pulumi.ErrorHook(`${name}-on-error`, async ({ errors }) => {
    watch.stop();
    const access = await valueOf(kubeconfig);
    if (!HELD.test(errors[0] ?? "")) {
      await warnOfTroubles(await aid.troubles(access, release).catch(() => []), warn);
      return false;
    }
    const removed = await aid.clearPending(access, release);
    if (removed.length === 0) return false;
    await warn(`was left half-done by an interrupted update: removed ${removed.join(", ")} and trying again`);
    watch.start(access);
    return true;
  });
  return { beforeUpdate: [before], afterUpdate: [after], onError: [failed] };
}

/** The failure itself is told by the engine; this is what stands behind it. */
async function warnOfTroubles(troubles: readonly string[], warn: (text: string) => Promise<void>): Promise<void> {
  if (troubles.length === 0) return;
  const more = troubles.length > SHOWN ? [`and ${troubles.length - SHOWN} more`] : [];
  await warn(["is not ready:", ...troubles.slice(0, SHOWN), ...more].join("\n  "));
}
