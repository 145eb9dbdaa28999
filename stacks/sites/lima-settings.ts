import type { MachineSpec } from "../../components/machine.ts";
import type { HostSystem, LimaNetwork } from "../../components/lima/vm-yaml.ts";
import type { SshSettings } from "./existing-settings.ts";

/** A machine on a site of kind `lima`. */
export interface LimaMachineSettings extends MachineSpec {
  readonly image: string;
  readonly cpus: number;
  readonly memoryGiB: number;
  readonly diskGiB: number;
  /** GiB. @default no data disk */
  readonly dataGiB?: number;
  readonly deleteData: boolean;
  /** Port of its sshd on the host's loopback address, on a network where it has no address outside. */
  readonly sshPort: number;
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
  readonly autostart: boolean;
  readonly machines: readonly LimaMachineSettings[];
}
