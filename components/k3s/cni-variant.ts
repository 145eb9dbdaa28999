import type { KubernetesSettings } from "./kubernetes-settings.ts";

/** A pod network and how it works: what a live cluster cannot change, and what gets along with a mesh or does not. */
export type CniVariant = "flannel-vxlan" | "flannel-wireguard" | "cilium" | "cilium-beside-kube-proxy";

/** The pod network that a region's settings lead to. */
export function cniVariantOf({
  cilium,
  flannelBackend,
}: Pick<KubernetesSettings, "cilium" | "flannelBackend">): CniVariant {
  if (cilium !== undefined) return cilium.kubeProxyReplacement ? "cilium" : "cilium-beside-kube-proxy";
  return flannelBackend === "vxlan" ? "flannel-vxlan" : "flannel-wireguard";
}

/** The name of a pod network for people. */
export const CNI_NAMES: Readonly<Record<CniVariant, string>> = {
  "flannel-vxlan": "flannel (vxlan)",
  "flannel-wireguard": "flannel (wireguard-native)",
  cilium: "Cilium in place of kube-proxy",
  "cilium-beside-kube-proxy": "Cilium beside kube-proxy",
};
