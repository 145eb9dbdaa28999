import { PublicRules } from "./public-rules.ts";

/** How a machine's next boot goes. */
export interface Boot {
  /** Simulated seconds until sshd answers. @default 30 */
  readonly seconds?: number;
  /** It never answers. @default false */
  readonly silent?: boolean;
}

/** What the clouds of the world can and cannot do: a scenario sets it. */
export class Cloud {
  /** By machine name; used up by one boot. */
  readonly boots = new Map<string, Boot>();
  /** Sizes that no machine can be had of, as `size place`: `large_3_0 ap-northeast-1a`, `cx33 fsn1`. */
  readonly soldOut = new Set<string>();
  /** How many machines an account may have; undefined: any number. */
  quota: number | undefined;
  /** What is let in from outside. */
  readonly publicRules = new PublicRules();
  /** Whether a server may not be deleted, by id; a server that is gone has no entry. */
  readonly protectedServers = new Map<string, boolean>();
  #numbers = 0;

  /** A number that was never given before: for addresses and ids. */
  next(): number {
    return ++this.#numbers;
  }

  /** A public address that no other machine has, from the range for tests of networks (RFC 2544). */
  publicAddress(): string {
    const number = this.next();
    return `198.18.${Math.floor(number / 250)}.${(number % 250) + 1}`;
  }

  /** A public IPv6 network that no other machine has, from the range for documentation (RFC 3849), without its prefix. */
  publicNetwork(): string {
    return `2001:db8:${this.next().toString(16)}::`;
  }

  /** How this machine's boot goes. */
  boot(machine: string): Required<Boot> {
    const planned = this.boots.get(machine);
    this.boots.delete(machine);
    return { seconds: planned?.seconds ?? 30, silent: planned?.silent ?? false };
  }
}
