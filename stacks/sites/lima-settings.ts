import type { LimaMachine } from "../../components/lima/site.ts";
import type { MachineSettingsOf } from "./machine-settings.ts";
import type { HostSystem, LimaNetwork } from "../../components/lima/vm-yaml.ts";
import type { SshSettings } from "./existing-settings.ts";
import type { NodeAddresses } from "./node-addresses.ts";

/** A machine on a site of kind `lima`. */
export type LimaMachineSettings = MachineSettingsOf<LimaMachine>;

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
  readonly autostart: boolean;
  readonly machines: readonly LimaMachineSettings[];
}
