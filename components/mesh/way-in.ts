import type * as pulumi from "@pulumi/pulumi";
import type { Machine } from "../machine.ts";
import type { Member } from "./mesh.ts";

/** How this computer reaches a machine whose firewall is ours. */
export interface WayIn {
  readonly host: pulumi.Output<string>;
  /** What {@link Machine.reach} says of it. */
  readonly note: string;
}

/**
 * Through the mesh, where the machine is in one and nobody is let in from outside; else by its address outside.
 * @param accessFrom ranges that the firewall lets in
 */
export const wayIn = (
  member: Member | undefined,
  accessFrom: readonly string[],
  outside: pulumi.Output<string>,
): WayIn =>
  member === undefined || accessFrom.length > 0
    ? { host: outside, note: "" }
    : { host: member.address, note: ", mesh" };

/**
 * A machine's addresses.
 * @param meshAddresses whether the one in the mesh is the node's
 */
export const addressesOf = (
  own: pulumi.Output<string>,
  member: Member | undefined,
  meshAddresses = false,
): Pick<Machine, "address" | "meshAddress"> =>
  member === undefined
    ? { address: own }
    : { address: meshAddresses ? member.address : own, meshAddress: member.address };
