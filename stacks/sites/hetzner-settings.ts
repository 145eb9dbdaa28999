import type { MachineSpec } from "../../components/machine.ts";

/** A machine on a site of kind `hetzner`. */
export interface HetznerMachineSettings extends MachineSpec {
  /** Server type, such as `cx33`. */
  readonly serverType: string;
  readonly image: string;
  /** In order of preference. */
  readonly locations: readonly string[];
  readonly publicIpv4: boolean;
  /** GiB. @default no volume */
  readonly volumeGiB?: number;
  readonly ingress: boolean;
}

/** A site of Hetzner Cloud servers in one network zone. */
export interface HetznerSiteSettings {
  readonly name: string;
  readonly provider: "hetzner";
  /** Such as `eu-central`. */
  readonly networkZone: string;
  /** The private network, CIDR. */
  readonly lan: string;
  /** Ranges that may connect to SSH and to the API. Empty: none is stated. */
  readonly accessFrom: readonly string[];
  /** Labels of the project's resources. */
  readonly tags: Readonly<Record<string, string>>;
  /** Secret. @default the environment's `HCLOUD_TOKEN` */
  readonly token?: string;
  /** @default Hetzner's own */
  readonly apiEndpoint?: string;
  readonly machines: readonly HetznerMachineSettings[];
}
