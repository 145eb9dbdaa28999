/** A host's clock beside this computer's, both in seconds. */
export interface ClockReading {
  /** Positive: the host's is ahead. */
  readonly offset: number;
  /** Half of the round trip: how far that may be off. */
  readonly uncertainty: number;
}

/**
 * Reads a host's clock while the probe talks: it says `ready`, is answered, and prints its clock at once. The host's time is
 * compared with the middle between question and answer.
 */
export class ClockReader {
  readonly #now: () => number;
  #asked: number | undefined;
  #reading: ClockReading | undefined;

  /** @param now this computer's clock, ms */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Undefined while there is none. */
  get reading(): ClockReading | undefined {
    return this.#reading;
  }

  /**
   * Is told all that the host has printed so far.
   * @returns what the host is to be told: once, when it is ready
   */
  hear(stdout: string): string | undefined {
    const now = this.#now();
    if (this.#asked === undefined) {
      if (!/^ready$/m.test(stdout)) return undefined;
      this.#asked = now;
      return "now\n";
    }
    const told = /^clock (?<time>\d+\.\d+)\n/m.exec(stdout)?.groups?.["time"];
    if (told === undefined || this.#reading !== undefined) return undefined;
    const [middle, half] = [(this.#asked + now) / 2000, (now - this.#asked) / 2000];
    this.#reading = { offset: Number(told) - middle, uncertainty: half };
    return undefined;
  }
}
