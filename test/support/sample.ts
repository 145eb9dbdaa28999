import * as pulumi from "@pulumi/pulumi";
import type { CiliumSettings } from "../../components/k3s/cilium-settings.ts";
import type { CiliumPlan } from "../../components/k3s/cilium-values.ts";
import type { KubernetesSettings } from "../../components/k3s/kubernetes-settings.ts";
import type { ClusterPlan } from "../../components/k3s/config.ts";
import type { MachineSpec, SshTarget } from "../../components/machine.ts";

/** A host key in the right form; nobody holds its private half. */
export const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGqQSd3qdEyRjhGT2YmrW8Yx0vVwzX2nX4oGJ6Gz5b0q";

/** Kubernetes settings with every default. */
export const kubernetesSettings: KubernetesSettings = {
  version: "v1.36.3+k3s1",
  cni: "flannel",
  flannelBackend: "vxlan",
  tlsSans: [],
  parallelism: 5,
  hardening: { enabled: true, podSecurity: "restricted", exemptNamespaces: [] },
  config: {},
  kubeletArguments: [],
  drainSeconds: 300,
  connectSeconds: 300,
};

/** A cluster plan around Kubernetes settings. */
export const clusterPlan = (kubernetes: Partial<KubernetesSettings> = {}): ClusterPlan => ({
  region: "tokyo",
  kubernetes: { ...kubernetesSettings, ...kubernetes },
  secretConfig: false,
  pods: "10.66.0.0/16",
  services: "10.67.0.0/16",
  clusterDns: "10.67.0.10",
});

/** A machine of a name and role, with every default. */
export const machineSpec = (name: string, role: MachineSpec["role"], more: Partial<MachineSpec> = {}): MachineSpec => ({
  name,
  role,
  site: "rack",
  pool: role === "server" ? "control" : "workers",
  zone: "rack",
  generation: 1,
  labels: {},
  taints: [],
  ...more,
});

/** How a host is reached in tests that never reach one. */
export const sshTarget = (host: string, more: Partial<SshTarget> = {}): SshTarget => ({
  host,
  port: 22,
  user: "root",
  hostKey: HOST_KEY,
  ...more,
});

/** A private key that is recognisable wherever it must not appear. */
export const PRIVATE_KEY = pulumi.secret("planted-private-key");

/** Settings of Cilium with every default. */
export const ciliumSettings: CiliumSettings = {
  version: "1.20.2",
  kubeProxyReplacement: true,
  hubble: false,
  loadBalancerPool: [],
  values: {},
};

/** Cilium as the pod network of a region in a Tailscale mesh. */
export const ciliumPlan = (settings: Partial<CiliumSettings> = {}, more: Partial<CiliumPlan> = {}): CiliumPlan => ({
  settings: { ...ciliumSettings, ...settings },
  repository: "https://helm.cilium.io/",
  chart: "cilium",
  underlay: 1280,
  devices: ["!tailscale0"],
  ...more,
});
