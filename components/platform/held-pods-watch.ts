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
  #ended = new AbortController();
  #look: Promise<void> | undefined;

  /** @param say told what was deleted */
  constructor(release: ReleaseAddress, aid: ReleaseAid, say: (pods: readonly string[]) => Promise<void>) {
    this.#release = release;
    this.#aid = aid;
    this.#say = say;
  }

  /** Looks from now on, again and again; never twice at once, for a second look would judge what the first one changes. */
  start(kubeconfig: string): void {
    this.#end();
    this.#ended = new AbortController();
    const { signal } = this.#ended;
    this.#timer = setInterval(() => {
      this.#look ??= this.#lookOnce(kubeconfig, signal).finally(() => {
        this.#look = undefined;
      });
    }, EVERY);
    // Whatever happens to the update, this alone keeps no program running.
    this.#timer.unref();
  }

  /** Looks no more; settles once nothing is deleted any more, and what was deleted is told. */
  async stop(): Promise<void> {
    this.#end();
    await this.#look;
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#ended.abort();
  }

  async #lookOnce(kubeconfig: string, ended: AbortSignal): Promise<void> {
    // A cluster that does not answer is the update's own failure, and is told there.
    const deleted = await this.#aid.deleteHeldPods(kubeconfig, this.#release, ended).catch(() => []);
    // An engine that takes no message any more has ended the update.
    if (deleted.length > 0) await this.#say(deleted).catch(() => undefined);
  }
}
