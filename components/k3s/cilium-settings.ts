import type { AddressBlock } from "../network/cidr.ts";

/** What a region says about Cilium, where that is its pod network. */
export interface CiliumSettings {
  /** The chart's version, which is Cilium's own, such as `1.20.2`. @default versions.yaml */
  readonly version: string;
  /** Whether Cilium stands in for kube-proxy. @default true */
  readonly kubeProxyReplacement: boolean;
  /** Whether Hubble, its relay and its page run. @default false */
  readonly hubble: boolean;
  /** Addresses that Services of type LoadBalancer get on the LAN of on-premises sites. @default []: k3s's own ServiceLB */
  readonly loadBalancerPool: readonly AddressBlock[];
  /** Helm values, merged last over ours. @default {} */
  readonly values: Readonly<Record<string, unknown>>;
}
