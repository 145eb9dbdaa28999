import type { LoadBalancerChoice } from "../../components/hetzner/load-balancer.ts";
import type { HetznerMachine } from "../../components/hetzner/site.ts";
import type { MachineSettingsOf } from "./machine-settings.ts";
import type { NodeAddresses } from "./node-addresses.ts";

/** A machine on a site of kind `hetzner`. */
export type HetznerMachineSettings = MachineSettingsOf<HetznerMachine>;

/** A site of Hetzner Cloud servers in one network zone. */
export interface HetznerSiteSettings {
  readonly name: string;
  readonly provider: "hetzner";
  /** Such as `eu-central`. */
  readonly networkZone: string;
  /** The private network, CIDR. */
  readonly lan: string;
  readonly nodeAddresses: NodeAddresses;
  /** Ranges that may connect to SSH and to the API. Empty: none is stated. */
  readonly accessFrom: readonly string[];
  /** Labels of the project's resources. */
  readonly tags: Readonly<Record<string, string>>;
  /** Secret. @default the environment's `HCLOUD_TOKEN` */
  readonly token?: string;
  /** @default Hetzner's own */
  readonly apiEndpoint?: string;
  /** @default none */
  readonly loadBalancer?: LoadBalancerChoice;
  readonly machines: readonly HetznerMachineSettings[];
}
