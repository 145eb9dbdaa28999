import type { LightsailMachine } from "../../components/lightsail/site.ts";
import type { MachineSettingsOf } from "./machine-settings.ts";
import type { NodeAddresses } from "./node-addresses.ts";

/** A machine on a site of kind `lightsail`. */
export type LightsailMachineSettings = MachineSettingsOf<LightsailMachine>;

/** A site of Lightsail instances in one AWS region. */
export interface LightsailSiteSettings {
  readonly name: string;
  readonly provider: "lightsail";
  /** Such as `ap-northeast-1`. */
  readonly awsRegion: string;
  /** The private range of the account's instances in that region, CIDR. */
  readonly lan: string;
  readonly nodeAddresses: NodeAddresses;
  /** Ranges that may connect to SSH and to the API. Empty: none is stated. */
  readonly accessFrom: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly machines: readonly LightsailMachineSettings[];
}
