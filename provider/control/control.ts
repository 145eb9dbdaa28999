/** A device of the mesh, the same words for every control plane. */
export interface MeshDevice {
  readonly id: string;
  /** The mesh's own name for it, as one label: with a suffix where another device has the name already. */
  readonly name: string;
  /** Its name in the mesh's DNS, as far as the control plane tells it; else the same as `name`. */
  readonly dnsName: string;
  /** What the host calls itself. */
  readonly hostname: string;
  /** IPv4 address in the mesh. */
  readonly address: string;
  /** Tags, or the names of its NetBird groups; without NetBird's own group `All`. */
  readonly tags: readonly string[];
  readonly created: Date;
  /** Absent where the control plane does not say, as for devices that are connected. */
  readonly lastSeen?: Date;
  /** Whether it is connected to the control plane; absent where that is not told. */
  readonly online?: boolean;
  /** When it must log in again. Absent: never. */
  readonly expires?: Date;
  /** Whether it must log in again some day, of which the control plane tells no date. @default false */
  readonly logsInAgain?: boolean;
  /** Whether somebody has yet to let it in. */
  readonly waitsForApproval: boolean;
  readonly routes: { readonly advertised: readonly string[]; readonly approved: readonly string[] };
}

/** A key that lets one machine join, once. */
export interface MintedKey {
  readonly id: string;
  /** Secret. */
  readonly key: string;
  /** When it was made, by the control plane's own clock, which dates devices too. */
  readonly created: Date;
  readonly expires: Date;
}

/** What a join key is made of. */
export interface KeyRequest {
  readonly description: string;
  readonly tags: readonly string[];
  readonly lifetimeSeconds: number;
}

/** What the provider needs of a control plane: the same for all meshes. */
export interface MeshControl {
  /** Makes a one-off key: pre-approved, tagged, for a device that stays (not ephemeral). */
  createKey(request: KeyRequest): Promise<MintedKey>;
  /** Ends a key. One that is gone already is fine. */
  revokeKey(id: string): Promise<void>;
  devices(): Promise<readonly MeshDevice[]>;
  /** Takes a device out. One that is gone already is fine. */
  removeDevice(id: string): Promise<void>;
  /** The device never has to log in again. */
  disableKeyExpiry(id: string): Promise<void>;
  /**
   * Gives a device these tags.
   * @param formerly tags that were given before and may go; others that somebody gave it by hand may stay
   */
  setTags(id: string, tags: readonly string[], formerly: readonly string[]): Promise<void>;
}

/** The policy file of a tailnet, as text with comments. */
export interface Policy {
  readonly text: string;
  /** What a write must name, so that nobody's change in between is lost. Absent where the control plane has none. */
  readonly etag?: string;
}

/** Access to the policy file of Tailscale or headscale. */
export interface TailnetPolicyControl {
  /** The policy as it stands; undefined where none was ever written, which means that everything is allowed. */
  readPolicy(): Promise<Policy | undefined>;
  /** @throws PolicyChanged if somebody has written since `etag` was read */
  writePolicy(text: string, etag?: string): Promise<void>;
}

/** Somebody else wrote the policy between our read and our write. */
export class PolicyChanged extends Error {
  override readonly name = "PolicyChanged";
  constructor() {
    super("the policy file was changed by somebody else at the same moment");
  }
}
