import { getPrimaryIpsOutput, getServersOutput, getServerTypeOutput } from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { Refusal } from "../refusal.ts";

/** Label of a server that changes exactly when the server is made anew. */
export const LIFE_LABEL = "hybrid-k3s/life";

/** A server as far as its location goes. */
export interface Wanted {
  /** The machine's name. */
  readonly name: string;
  /** Server type. */
  readonly type: string;
  /** In order of preference. */
  readonly locations: readonly string[];
  /** Name of the server in the project. */
  readonly server: string;
  /** Value of {@link LIFE_LABEL}. */
  readonly life: string;
  /** Name of an address that the server has in any case. */
  readonly address: string;
}

/** What the API says. */
export interface Situation {
  /** Location of each address that is there, by its name. */
  readonly addresses: Readonly<Record<string, string>>;
  /** {@link LIFE_LABEL} of each server that is there, by its name. */
  readonly lives: Readonly<Record<string, string>>;
  /** By server type: locations that have it now. */
  readonly having: Readonly<Record<string, readonly string[]>>;
}

/** Where servers stand, and what is to be said of it. */
export interface Choices {
  /** By machine. */
  readonly locations: Readonly<Record<string, string>>;
  /** One line for each server that is made elsewhere than in the first location of its list. */
  readonly notes: readonly string[];
}

function problem({ name, type, locations }: Wanted, having: readonly string[], at: string | undefined): string {
  const elsewhere =
    having.length === 0 ? "no location has it" : `${having.join(", ")} ${having.length > 1 ? "have" : "has"} it`;
  const fix = at === undefined ? "add a location of the same network zone, write" : `its addresses are in ${at}: write`;
  return `${name}.type: found ${type}, which is sold out in ${at ?? locations.join(", ")} · allowed a type that is to be had there; ${elsewhere} · fix: ${fix} another type, or run again later`;
}

/**
 * Decides where servers stand: one whose address is there already at that address; another in the first of its locations
 * that has its type. A server that is there stays as it is, whatever is sold out by now; one that is to be made, or made
 * anew, must be to be had before the old one is deleted.
 * @throws Refusal with a line for each server that is not to be had
 */
export function choose(wanted: readonly Wanted[], { addresses, lives, having }: Situation): Choices {
  const locations: Record<string, string> = {};
  const [notes, problems]: [string[], string[]] = [[], []];
  for (const server of wanted) {
    const { name, type } = server;
    const offers = having[type] ?? [];
    const at = addresses[server.address];
    const location = at ?? server.locations.find((one) => offers.includes(one));
    const stays = at !== undefined && lives[server.server] === server.life;
    if (location === undefined || !(stays || offers.includes(location))) {
      problems.push(problem(server, offers, at));
      continue;
    }
    locations[name] = location;
    const [first = ""] = server.locations;
    if (at === undefined && location !== first)
      notes.push(`${name}: ${first} has no ${type} now, it is made in ${location}`);
  }
  if (problems.length > 0) throw new Refusal([...problems, "No server was made or deleted."].join("\n"));
  return { locations, notes };
}

/**
 * Asks the API where the servers of a site are to stand. The answer is there before anything is made: a type that is
 * sold out ends an update in its preview, and no server of the site is made before all can be.
 * @param selector of the labels that all addresses of the site have
 */
export function locationsOf(
  wanted: readonly Wanted[],
  selector: string,
  resource: pulumi.Resource,
  options: pulumi.InvokeOutputOptions,
): pulumi.Output<Readonly<Record<string, string>>> {
  const types = [...new Set(wanted.map(({ type }) => type))];
  const having = pulumi.all(
    types.map((name) =>
      getServerTypeOutput({ name }, options).locations.apply((places) =>
        places.filter(({ available }) => available).map((place) => place.name),
      ),
    ),
  );
  const addresses = getPrimaryIpsOutput({ withSelector: selector }, options).primaryIps;
  const { servers } = getServersOutput({ withSelector: selector }, options);
  return pulumi.all([having, addresses, servers]).apply(([lists, found, made]) => {
    const { locations, notes } = choose(wanted, {
      addresses: Object.fromEntries(found.map(({ name, location }) => [name, location])),
      lives: Object.fromEntries(made.map(({ name, labels }) => [name, labels[LIFE_LABEL] ?? ""])),
      having: Object.fromEntries(types.map((type, index) => [type, lists[index] ?? []])),
    });
    for (const note of notes) void pulumi.log.warn(note, resource);
    return locations;
  });
}
