import type { Contact } from "../host/station-script.ts";

/** A server that other nodes join through and that work on the cluster is done from. */
export interface ServerContact extends Contact {
  /** The server's private address. */
  readonly address: string;
}

const same = (a: ServerContact, b: ServerContact): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * The servers that memberships go through.
 *
 * They stand in the state of every membership, so a list that followed each change of a server would touch every node
 * of the region. It is kept while at least two of its servers (or all, where there are fewer) still are what they were:
 * the first that answers is used, so one that has gone does no harm.
 * @param current today's servers, sorted by name
 * @param earlier the contacts of the last successful run
 */
export function chooseContacts(
  current: readonly ServerContact[],
  earlier: readonly ServerContact[],
): readonly ServerContact[] {
  const alive = earlier.filter((contact) => current.some((server) => same(server, contact)));
  return alive.length >= Math.min(2, current.length) && alive.length > 0 ? earlier : current;
}

/** Contacts for work on one node: the others first, for a node that leaves cannot see itself out. */
export const contactsFor = <T extends { readonly name: string }>(
  name: string,
  contacts: readonly T[],
): readonly T[] => {
  const others = contacts.filter((contact) => contact.name !== name);
  return others.length > 0 ? others : contacts;
};
