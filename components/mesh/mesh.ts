import type * as pulumi from "@pulumi/pulumi";
import type { Machine, MachineSpec, SshTarget } from "../machine.ts";
import type { FirstBoot } from "./first-boot.ts";

/** What lets one machine of one generation into the mesh, once. */
export interface Invitation {
  /** The key itself: goes before the machine does, and is never an input of anything that it would replace. */
  readonly resource: pulumi.Resource;
  /** Changes when the key is another. */
  readonly keyId: pulumi.Output<string>;
  /** What the machine's user data is told, where the machine boots with some. Secret. */
  readonly firstBoot: pulumi.Output<FirstBoot>;
}

/** A host that answers on SSH before it is in the mesh. */
export interface JoiningHost {
  readonly spec: MachineSpec;
  readonly ssh: SshTarget;
  /** See {@link Machine.id}. */
  readonly id: pulumi.Output<string>;
  /** See {@link Machine.resource}. */
  readonly resource: pulumi.Resource;
  /** What has to be done on the host first. */
  readonly after: readonly pulumi.Resource[];
  /** Whether the host stays when the machine goes: the client is then taken off it again. */
  readonly givenBack: boolean;
}

/** A machine as the mesh knows it. */
export interface Member {
  /** Its stable IPv4 address in the mesh. */
  readonly address: pulumi.Output<string>;
  /** The control server's id of it. */
  readonly deviceId: pulumi.Output<string>;
  /** Its entry in the mesh. It goes with the machine, and with the whole region. */
  readonly resource: pulumi.Resource;
}

/** What a node's turn brings to its host before k3s. */
export interface PreparedHost {
  /** In order: k3s comes after all of them. */
  readonly resources: readonly pulumi.Resource[];
  /** Changes with what they install: the node is waited for again then, before the next one's turn. */
  readonly mark: string;
}

/**
 * The overlay that joins a region's sites: every machine gets a name and an address in it that it keeps, carries a route
 * to its own private address, and leaves nothing behind when it goes.
 *
 * The same order whatever the mesh is: a key, then the machine (which joins at its first boot) or a script over SSH, then
 * the mesh's entry of it, then, in the node's turn, what is converged on the host.
 */
export interface Mesh {
  /** Interface of the mesh on hosts. */
  readonly interface: string;
  /** UDP port that peers reach each other on directly: the one port that is open to the world. */
  readonly port: number;
  /** A key for a machine that is to be made. */
  readonly invite: (spec: MachineSpec, options: pulumi.CustomResourceOptions) => Invitation;
  /** The entry of a machine that joins at its first boot. @param id see {@link Machine.id} */
  readonly member: (
    spec: MachineSpec,
    invitation: Invitation,
    id: pulumi.Output<string>,
    options: pulumi.CustomResourceOptions,
  ) => Member;
  /** Lets a host in that answers on SSH. */
  readonly join: (host: JoiningHost, options: pulumi.CustomResourceOptions) => Member;
  /** Keeps the client of one node's host as it should be: its version, its route, the way its neighbours are reached. */
  readonly converge: (machine: Machine, options: pulumi.CustomResourceOptions) => PreparedHost;
}
