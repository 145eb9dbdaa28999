import type { KubernetesSettings } from "../components/k3s/kubernetes-settings.ts";
import type { Place } from "../components/platform/spot.ts";
import type { MeshSettings } from "../components/mesh/mesh-settings.ts";
import type { ExistingSiteSettings } from "./sites/existing-settings.ts";
import type { HetznerSiteSettings } from "./sites/hetzner-settings.ts";
import type { LightsailSiteSettings } from "./sites/lightsail-settings.ts";
import type { LimaSiteSettings } from "./sites/lima-settings.ts";

/** Every kind of site, told apart by `provider`. */
export type SiteSettings = ExistingSiteSettings | HetznerSiteSettings | LightsailSiteSettings | LimaSiteSettings;

/** A machine of any kind of site. */
export type MachineSettings = SiteSettings["machines"][number];

/** What every release's settings have, beside its own. */
export interface ReleaseSettings {
  /** Where it may run. */
  readonly place: Place;
  /** Helm values, merged last over ours. @default {} */
  readonly values: Readonly<Record<string, unknown>>;
}

/** The in-cluster releases of a region by name: a release exists when its key does. */
export type PlatformSettings = Readonly<Record<string, ReleaseSettings>>;

/** The ranges of a region, from regions.yaml. */
export interface RegionRanges {
  /** Pod range, CIDR. */
  readonly pods: string;
  /** Service range, CIDR. */
  readonly services: string;
}

/** A region as regions.yaml states it. */
export interface RegionPlan extends RegionRanges {
  readonly name: string;
  /** Unique number of the region, 0 to 63; its ranges follow from it. */
  readonly id: number;
}

/** Everything a region is declared from: parsed, defaulted, cross-checked for shape, frozen. */
export interface RegionSettings {
  readonly region: string;
  /** This region's entry of the address plan. */
  readonly plan: RegionPlan;
  /** All regions of the address plan, this one included. */
  readonly regions: readonly RegionPlan[];
  readonly kubernetes: KubernetesSettings;
  readonly mesh: MeshSettings;
  /** The firewall on the machines themselves. */
  readonly hostFirewall: { readonly enabled: boolean };
  readonly sites: readonly SiteSettings[];
  readonly platform: PlatformSettings;
  /** Reasons given for guardrails that ask, by guardrail id. */
  readonly accept: Readonly<Record<string, string>>;
  /** Names of settings that hold an encrypted value somewhere, such as `kubernetes`: what is made of them is secret. */
  readonly encrypted: readonly string[];
}
