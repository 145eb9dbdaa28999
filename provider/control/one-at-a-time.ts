/** Runs what it is given one after another: for read-modify-write on something that has no lock of its own. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` after all that was given before, whatever became of it. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work, work);
    this.#last = next.catch(() => undefined);
    return next;
  }
}
