import type { Contact } from "../host/station-script.ts";
import type { Machine } from "../machine.ts";

/** A server that other nodes join through and that work on the cluster is done from. */
export interface ServerContact extends Contact {
  /** How it was reached: see {@link Machine.reach}. */
  readonly reach: string;
}

/** A server as a contact. */
export const contactOf = ({ spec, ssh, reach }: Machine): ServerContact => ({ name: spec.name, reach, ...ssh });

/**
 * The servers that memberships go through.
 *
 * They stand in the state of every membership, so a list that followed each change of a server would touch every node
 * of the region. It is kept while at least two of its servers (or all, where there are fewer) still are what they were:
 * the first that answers is used, so one that has gone does no harm. Which are is decided by plain values, for a
 * machine's addresses may be unknown in a preview; a server that is what it was stands in the list as it is now.
 * @param current today's servers, sorted by name
 * @param earlier the contacts of the last successful run
 */
export function chooseContacts(
  current: readonly ServerContact[],
  earlier: readonly ServerContact[],
): readonly ServerContact[] {
  const now = (contact: ServerContact): ServerContact | undefined =>
    current.find(({ name, reach }) => name === contact.name && reach === contact.reach);
  const alive = earlier.filter((contact) => now(contact) !== undefined);
  if (alive.length === 0 || alive.length < Math.min(2, current.length)) return current;
  return earlier.map((contact) => now(contact) ?? contact);
}

/** Contacts for work on one node: the others first, for a node that leaves cannot see itself out. */
export const contactsFor = <T extends { readonly name: string }>(
  name: string,
  contacts: readonly T[],
): readonly T[] => {
  const others = contacts.filter((contact) => contact.name !== name);
  return others.length > 0 ? others : contacts;
};
