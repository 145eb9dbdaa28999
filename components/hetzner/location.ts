import { getPrimaryIpsOutput, getServerTypeOutput } from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";

/** A server as far as its location goes. */
export interface Wanted {
  /** The machine's name. */
  readonly name: string;
  readonly type: string;
  /** In order of preference. */
  readonly locations: readonly string[];
}

/** Where a server is made, and what is to be said of it. */
export interface Choice {
  readonly location: string;
  /** A line for people, where it is not the first of the list. */
  readonly note?: string;
}

/**
 * Picks the first location that has the type.
 * @param having locations that have the type now
 * @throws pulumi.RunError that names the type, the locations and what to do, where none has it
 */
export function choose({ name, type, locations }: Wanted, having: readonly string[]): Choice {
  const [first = ""] = locations;
  const location = locations.find((one) => having.includes(one));
  const elsewhere = having.length === 0 ? "no other location has it either" : `to be had in ${having.join(", ")}`;
  if (location === undefined) {
    throw new pulumi.RunError(
      `${name}.type: found ${type}, which none of its locations has now: ${locations.join(", ")} · allowed: a type that one of them has; ${elsewhere} · fix: add a location of the same network zone, write another type, or run again later; nothing of this machine was made`,
    );
  }
  if (location === first) return { location };
  return { location, note: `${name}: ${first} has no ${type} now, it is made in ${location}` };
}

/** Decides where the servers of a site stand: those that are there where they are, the others where their type is to be had. */
export class Locations {
  readonly #options: pulumi.InvokeOutputOptions;
  /** By name of the address: where it is, and so the server. */
  readonly #standing: pulumi.Output<Readonly<Record<string, string>>>;
  readonly #having = new Map<string, pulumi.Output<readonly string[]>>();

  /** @param selector of the labels that all addresses of the site have */
  constructor(selector: string, options: pulumi.InvokeOutputOptions) {
    this.#options = options;
    this.#standing = getPrimaryIpsOutput({ withSelector: selector }, options).primaryIps.apply((addresses) =>
      Object.fromEntries(addresses.map(({ name, location }) => [name, location])),
    );
  }

  /**
   * Where a server is made. Asked before anything is: a type that is sold out ends the update in its preview. A server
   * whose address is there already stays at that address's location, whatever is sold out by now.
   * @param address name of the address that the server has in any case
   */
  of(wanted: Wanted, address: string, resource: pulumi.Resource): pulumi.Output<string> {
    return pulumi.all([this.#standing, this.#offers(wanted.type)]).apply(([standing, having]) => {
      const kept = standing[address];
      if (kept !== undefined) return kept;
      const { location, note } = choose(wanted, having);
      if (note !== undefined) void pulumi.log.warn(note, resource);
      return location;
    });
  }

  /** One question a type, however many servers have it. */
  #offers(type: string): pulumi.Output<readonly string[]> {
    const known = this.#having.get(type);
    if (known !== undefined) return known;
    const offers = getServerTypeOutput({ name: type }, this.#options).locations.apply((locations) =>
      locations.filter(({ available }) => available).map(({ name }) => name),
    );
    this.#having.set(type, offers);
    return offers;
  }
}
