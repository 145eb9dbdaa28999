import type { MachineSpec } from "../../components/machine.ts";

/** A machine on a site of kind `lightsail`. */
export interface LightsailMachineSettings extends MachineSpec {
  /** Such as `ap-northeast-1a`. */
  readonly availabilityZone: string;
  readonly blueprint: string;
  readonly bundle: string;
  /** GiB. @default no extra disk */
  readonly diskGiB?: number;
  /** Hour in UTC such as `18:00`. @default no snapshots */
  readonly snapshotAt?: string;
  readonly ingress: boolean;
}

/** A site of Lightsail instances in one AWS region. */
export interface LightsailSiteSettings {
  readonly name: string;
  readonly provider: "lightsail";
  /** Such as `ap-northeast-1`. */
  readonly awsRegion: string;
  /** The private range of the account's instances in that region, CIDR. */
  readonly lan: string;
  /** Ranges that may connect to SSH and to the API. Empty: none is stated. */
  readonly accessFrom: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly machines: readonly LightsailMachineSettings[];
}
