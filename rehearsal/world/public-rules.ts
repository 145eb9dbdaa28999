import type { Host } from "./host.ts";

/** A port that came to be open to the world. */
export interface Opening {
  readonly machine: string;
  /** Such as `udp 41641`; `all` where nothing is filtered. */
  readonly port: string;
  /** Logical name of the resource whose step opened it. */
  readonly step: string;
}

const EVERYBODY = /(?:^| )(?:0\.0\.0\.0\/0|::\/0)(?: |$)/;

/** Ports that a host's own firewall opens to everybody, such as `udp 41641`. */
const openIn = (rules: string): readonly string[] =>
  [...rules.matchAll(/^\s*(tcp|udp) dport \{ ([\d, ]+) \} accept$/gm)].flatMap(([, protocol = "", ports = ""]) =>
    ports.split(", ").map((port) => `${protocol} ${port}`),
  );

/** Ports that a cloud's firewall opens to everybody: of lines such as `tcp 22 from 0.0.0.0/0 ::/0`. */
const openOutside = (lines: readonly string[]): readonly string[] =>
  lines.flatMap((line) => {
    const [port = "", from = ""] = line.split(" from ");
    return EVERYBODY.test(from) ? [port] : [];
  });

/** What clouds' firewalls let in to their machines, and all that was ever open to the world. */
export class PublicRules {
  /** In order. */
  readonly openings: Opening[] = [];
  readonly #lines = new Map<string, readonly string[]>();

  /** Lines of a machine's firewall, such as `tcp 22 from 198.51.100.7/32`; undefined where none stands before it. */
  get(machine: string): readonly string[] | undefined {
    return this.#lines.get(machine);
  }

  /** How many machines have a firewall before them. */
  get size(): number {
    return this.#lines.size;
  }

  /** A cloud's firewall changes. */
  set(host: Host, lines: readonly string[], step: string): void {
    const before = openOutside(this.#lines.get(host.name) ?? []);
    this.#lines.set(host.name, lines);
    this.#note(
      host,
      openOutside(lines).filter((port) => !before.includes(port)),
      step,
    );
  }

  /** A machine is gone. */
  delete(machine: string): void {
    this.#lines.delete(machine);
  }

  /** A host's own firewall changes from one text to another. */
  changeHost(host: Host, before: string | undefined, rules: string, step: string): void {
    const lines = this.#lines.get(host.name);
    const outside = lines === undefined ? undefined : openOutside(lines);
    const was = before === undefined ? undefined : openIn(before);
    // What was open before this firewall came is not its doing.
    const opened = openIn(rules).filter((port) => was === undefined || !was.includes(port));
    this.#note(
      host,
      outside === undefined || outside.includes("all") ? opened : opened.filter((port) => outside.includes(port)),
      step,
    );
  }

  #note(host: Host, ports: readonly string[], step: string): void {
    const { confirmed } = host.firewall;
    const inside = confirmed === undefined ? undefined : openIn(confirmed);
    for (const port of ports) {
      const open = inside === undefined ? [port] : port === "all" ? inside : inside.filter((one) => one === port);
      for (const one of open) {
        if (!this.openings.some(({ machine, port: known }) => machine === host.name && known === one)) {
          this.openings.push({ machine: host.name, port: one, step });
        }
      }
    }
  }
}
