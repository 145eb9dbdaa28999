import type { ReleaseAddress, ReleaseAid } from "./release-aid.ts";

/** How often the cluster is asked while an update runs. Milliseconds. */
const EVERY = 10_000;

/**
 * While a release is updated, deletes the broken pods that its stateful sets would wait for until the update's time is up.
 *
 * A stateful set waits for a broken pod before it replaces it, also when the replacement would mend it:
 * https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
 */
export class HeldPodsWatch {
  readonly #release: ReleaseAddress;
  readonly #aid: ReleaseAid;
  readonly #say: (pods: readonly string[]) => Promise<void>;
  #timer: NodeJS.Timeout | undefined;

  /** @param say told what was deleted */
  constructor(release: ReleaseAddress, aid: ReleaseAid, say: (pods: readonly string[]) => Promise<void>) {
    this.#release = release;
    this.#aid = aid;
    this.#say = say;
  }

  /** Looks from now on, again and again. */
  start(kubeconfig: string): void {
    this.stop();
    this.#timer = setInterval(() => void this.#look(kubeconfig), EVERY);
    // Whatever happens to the update, this alone keeps no program running.
    this.#timer.unref();
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(kubeconfig: string): Promise<void> {
    // A cluster that does not answer is the update's own failure, and is told there.
    const held = await this.#aid.deleteHeldPods(kubeconfig, this.#release).catch(() => []);
    if (held.length > 0) await this.#say(held);
  }
}
