import type { MachineSpec } from "../../components/machine.ts";
import type { NodeAddresses } from "./node-addresses.ts";

/** A host that SSH connections pass through, as settings state it: plain values. */
export interface HopSettings {
  /** DNS name or address, as seen from this computer. */
  readonly host: string;
  /** TCP port of sshd. */
  readonly port: number;
  readonly user: string;
  /** The one public host key that is accepted. */
  readonly hostKey: string;
}

/** A host in between: one that is no machine of the region, or a machine of the region by its name. */
export type JumpSettings = HopSettings | { readonly machine: string };

/** How settings say that a host is reached. */
export interface SshSettings extends HopSettings {
  /** @default none */
  readonly jump?: JumpSettings;
}

/** A machine on a site of kind `existing`: a host that stands already. */
export interface ExistingMachineSettings extends MachineSpec {
  /** Private IPv4 address inside the site's LAN: the node's `node-ip`. */
  readonly address: string;
  readonly ssh: SshSettings;
  /** What it has. @default not known: no check of what runs on it can count with it */
  readonly size?: { readonly cpus: number; readonly memoryGiB: number };
  /** Whether ports 80 and 443 are open to the world in the machine's own firewall. */
  readonly ingress: boolean;
}

/** A site whose hosts are there already, given by address and pinned host key. */
export interface ExistingSiteSettings {
  readonly name: string;
  readonly provider: "existing";
  /** The LAN that the site's machines share, in CIDR form. */
  readonly lan: string;
  readonly nodeAddresses: NodeAddresses;
  /** Ranges that may connect to SSH and to the API, beside the site's LAN. Empty: none is stated. */
  readonly accessFrom: readonly string[];
  readonly machines: readonly ExistingMachineSettings[];
}
