import type { ClusterPlan } from "../components/k3s/config.ts";
import { flannelConf } from "../components/k3s/flannel-conf.ts";
import { compatibility } from "../components/mesh/compatibility.ts";
import { blockWithin } from "../components/network/cidr.ts";
import { pairOf } from "./mesh-pair.ts";
import type { RegionSettings } from "./region-settings.ts";
import { present } from "../components/present.ts";
import type { Versions } from "./versions.ts";

/** What the pod network of a region is set up with: flannel's file, or Cilium. */
export function podNetwork(
  settings: RegionSettings,
  { cilium: pin }: Versions,
): Pick<ClusterPlan, "cilium" | "flannelConf"> {
  const { kubernetes, mesh, plan, sites } = settings;
  const { mtus, devices = [] } = compatibility(pairOf(settings)).settings;
  const { cilium, flannelBackend: backend } = kubernetes;
  if (cilium === undefined) {
    // Without a mesh flannel's own choice is right: the MTU of the interface that it uses.
    return mesh.provider === "none"
      ? {}
      : { flannelConf: flannelConf({ pods: plan.pods, backend, underlay: mtus.underlay }) };
  }
  const [block] = cilium.loadBalancerPool;
  const poolSite = block && sites.find(({ provider, lan }) => provider === "existing" && blockWithin(block, lan))?.name;
  return {
    cilium: present({
      settings: cilium,
      repository: pin.repository,
      chart: pin.chart,
      underlay: mtus.underlay,
      devices,
      poolSite,
    }),
  };
}
