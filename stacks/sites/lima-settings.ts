import type { LimaMachine } from "../../components/lima/site.ts";
import type { MachineSettingsOf } from "./machine-settings.ts";
import type { HostSystem, LimaNetwork } from "../../components/lima/vm-yaml.ts";
import type { SshSettings } from "./existing-settings.ts";
import type { NodeAddresses } from "./node-addresses.ts";

/** A machine on a site of kind `lima`. */
export interface LimaMachineSettings extends MachineSettingsOf<LimaMachine> {
  /** Whether ports 80 and 443 are open to the world in the machine's own firewall. */
  readonly ingress: boolean;
}

/** A site of Lima VMs on one computer. */
export interface LimaSiteSettings {
  readonly name: string;
  readonly provider: "lima";
  /** The computer that runs them. @default the one that runs Pulumi */
  readonly host?: SshSettings;
  readonly hostSystem: HostSystem;
  readonly network: LimaNetwork;
  /** The range that the VMs share, CIDR. */
  readonly lan: string;
  readonly nodeAddresses: NodeAddresses;
  /** Ranges that may connect to SSH and to the API, beside the site's LAN and the host. Empty: none is stated. */
  readonly accessFrom: readonly string[];
  readonly autostart: boolean;
  readonly machines: readonly LimaMachineSettings[];
}
