import type { Lab, LabHost } from "./lab.ts";
import { SITES } from "./lab-sites.ts";
import { MIRROR_URL } from "./mirror.ts";

/** What a real k3s needs on a lab host: no image can be pulled there, and cgroups may be version 1. */
export const REAL_K3S_CONFIG = {
  disable: ["coredns", "traefik", "metrics-server", "local-storage", "servicelb"],
  "disable-helm-controller": true,
  "kubelet-arg+": ["fail-cgroupv1=false"],
};

const machines = (hosts: readonly LabHost[]): Record<string, unknown> =>
  Object.fromEntries(hosts.map(({ name, address, hostKey }) => [name, { address, hostKey }]));

/** The settings of a region on the hosts of a lab, by full name. The agents' site logs in as a user with sudo. */
export function regionSettings(lab: Lab, version: string): Record<string, unknown> {
  const on = (site: string): LabHost[] => lab.hosts.filter((host) => host.site === site);
  return {
    "hybrid-k3s:region": "workstation",
    "hybrid-k3s:kubernetes": {
      version,
      mirror: MIRROR_URL,
      config: REAL_K3S_CONFIG,
      connectTimeout: "60s",
      drainTimeout: "60s",
    },
    "hybrid-k3s:sites": {
      tokyo: {
        provider: "existing",
        lan: SITES.tokyo.lan,
        pools: { control: { role: "server", machines: machines(on("tokyo")) } },
      },
      home: {
        provider: "existing",
        lan: SITES.home.lan,
        user: "ops",
        pools: { workers: { role: "agent", labels: { "example.com/disk": "slow" }, machines: machines(on("home")) } },
      },
    },
    "hybrid-k3s:accept": { "routed-sites": "the lab's router joins the two networks" },
  };
}

/** A change of one machine of {@link regionSettings}; null removes it. */
export function machineChange(host: LabHost, change: Readonly<Record<string, unknown>> | null) {
  const pool = host.site === "tokyo" ? "control" : "workers";
  return { "hybrid-k3s:sites": { [host.site]: { pools: { [pool]: { machines: { [host.name]: change } } } } } };
}
