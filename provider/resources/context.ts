import { MissingCredential } from "../control/credentials.ts";
import type { MeshConnection } from "../control/connect.ts";
import type { MeshDevice } from "../control/control.ts";
import type { Operation } from "../protocol/resource-type.ts";

/** What all resources of the provider share. */
export interface ResourceContext {
  /** The connection of an operation's provider instance. */
  readonly connect: (operation: Operation) => MeshConnection;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Lets time pass between two looks at the mesh while something is waited for. */
  readonly pause: (signal: AbortSignal) => Promise<void>;
}

/**
 * Looks at the mesh for a diff, which must not fail for it: a preview needs neither credentials nor a control plane that
 * answers.
 * @returns undefined where nothing could be seen; the person has been told why
 */
export async function glance<T>(operation: Operation, what: string, look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const text = `${what} was not looked at: ${why}`;
    if (error instanceof MissingCredential) operation.say(text);
    else operation.warn(text);
    return undefined;
  }
}

/** A device in words: name, id, address, and when it was last there. */
export function describeDevice({ name, id, address, online, lastSeen }: MeshDevice): string {
  const seen = online === true ? "connected now" : `last seen ${lastSeen?.toISOString() ?? "never"}`;
  return `${name} (id ${id}, ${address}, ${seen})`;
}

/** Whether two names of a host are the same: host names know no case. */
export const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** Devices that one host name led to but that the mesh had to call otherwise: `tokyo-a-1`, or NetBird's `tokyo-a-12-34`. */
export const suffixed = (devices: readonly MeshDevice[], machine: string): MeshDevice[] =>
  devices.filter(
    ({ name, hostname }) =>
      sameName(hostname, machine) &&
      name.toLowerCase().startsWith(`${machine.toLowerCase()}-`) &&
      /^(?:-\d+)+$/.test(name.slice(machine.length)),
  );
