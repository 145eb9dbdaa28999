/** A clock that tests move; it runs on by itself. */
export class Clock {
  #ahead = 0;

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#ahead;
  }

  /** Moves it. */
  advance(seconds: number): void {
    this.#ahead += seconds * 1000;
  }
}
