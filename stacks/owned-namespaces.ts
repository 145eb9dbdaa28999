import { byName } from "../components/network/names.ts";
import { CATALOGUE } from "../components/platform/catalogue.ts";
import type { RegionSettings } from "./region-settings.ts";

/** Namespaces of Kubernetes and k3s themselves. `default` is none of them: people use it. */
const SYSTEM = ["kube-node-lease", "kube-public", "kube-system"];
/** Cilium's chart makes this one for the certificates that its proxies read. */
const CILIUM = "cilium-secrets";

/** The namespaces of a region that its stack, k3s or Kubernetes keeps: what deploys from Git stays out of them. Sorted. */
export function ownedNamespaces({ platform, kubernetes }: Pick<RegionSettings, "platform" | "kubernetes">): string[] {
  const releases = CATALOGUE.filter(({ name }) => Object.hasOwn(platform, name)).map(({ namespace }) => namespace);
  const network = kubernetes.cni === "cilium" ? [CILIUM] : [];
  return [...new Set([...SYSTEM, ...network, ...releases])].sort(byName);
}
