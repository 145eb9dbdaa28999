import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  forEveryServer,
  labelLines,
  nodeLabels,
  renderConfig,
  renderRegistration,
  taintLines,
} from "../../components/k3s/config.ts";
import { hardeningFiles } from "../../components/k3s/hardening.ts";
import type { CiliumSettings } from "../../components/k3s/cilium-settings.ts";
import { ciliumSettings, clusterPlan, kubernetesSettings, machineSpec } from "../support/sample.ts";

const read = (text: string): Record<string, unknown> => parse(text) as Record<string, unknown>;
const server = { name: "tokyo-a", role: "server", address: "10.20.0.11" } as const;
const agent = { name: "agent-1", role: "agent", address: "10.20.0.21" } as const;

describe("k3s configuration", () => {
  it("is a reviewed text for a server and for an agent", async () => {
    await expect(renderConfig(clusterPlan(), server)).toMatchFileSnapshot("__snapshots__/k3s-config-server.yaml");
    await expect(renderConfig(clusterPlan(), agent)).toMatchFileSnapshot("__snapshots__/k3s-config-agent.yaml");
  });

  it("differs between two servers in nothing but name and address", () => {
    const one = read(renderConfig(clusterPlan(), server));
    const other = read(renderConfig(clusterPlan(), { ...server, name: "tokyo-c", address: "10.20.0.12" }));
    const differing = Object.keys({ ...one, ...other }).filter(
      (key) => JSON.stringify(one[key]) !== JSON.stringify(other[key]),
    );
    expect(differing).toEqual(["node-ip", "node-name"]);
  });

  it("holds no token, and nothing that is decided at run time", () => {
    const text = renderConfig(clusterPlan(), server);
    expect(Object.keys(read(text))).not.toEqual(expect.arrayContaining(["token"]));
    for (const key of ["token", "agent-token", "server", "cluster-init", "node-label", "node-taint"]) {
      expect(read(text)).not.toHaveProperty(key);
    }
  });

  it("puts the endpoint and the further names into the certificate, sorted and once", () => {
    const plan = clusterPlan({ endpoint: "api.example.net", tlsSans: ["b.example.net", "api.example.net"] });
    expect(forEveryServer(plan)["tls-san"]).toEqual(["api.example.net", "b.example.net"]);
    expect(forEveryServer(clusterPlan())).not.toHaveProperty("tls-san");
  });

  it("merges raw configuration last: a key overrides, key+ appends, an agent gets only what agents know", () => {
    const plan = clusterPlan({
      config: { disable: ["traefik"], "kubelet-arg+": ["fail-cgroupv1=false"], "secrets-encryption": false },
    });
    const [onServer, onAgent] = [read(renderConfig(plan, server)), read(renderConfig(plan, agent))];
    expect(onServer).toMatchObject({ disable: ["traefik"], "secrets-encryption": false });
    expect(onServer["kubelet-arg"]).toContain("fail-cgroupv1=false");
    expect(onServer["kubelet-arg"]).toContain("streaming-connection-idle-timeout=5m");
    expect(onAgent).not.toHaveProperty("disable");
    expect(onAgent["kubelet-arg"]).toContain("fail-cgroupv1=false");
  });

  it("leaves the pod network, its policies, kube-proxy and Services' addresses to Cilium, as far as that has them", () => {
    const config = (cilium: Partial<CiliumSettings>) =>
      read(renderConfig(clusterPlan({ cni: "cilium", cilium: { ...ciliumSettings, ...cilium } }), server));
    expect(config({})).toMatchObject({
      "flannel-backend": "none",
      "disable-network-policy": true,
      "disable-kube-proxy": true,
    });
    expect(config({})).not.toHaveProperty("disable");
    expect(config({ kubeProxyReplacement: false })).not.toHaveProperty("disable-kube-proxy");
    expect(config({ loadBalancerPool: [{ start: "10.20.0.200", stop: "10.20.0.220" }] })).toMatchObject({
      disable: ["servicelb"],
    });
    const onAgent = read(renderConfig(clusterPlan({ cni: "cilium", cilium: ciliumSettings }), agent));
    expect(Object.keys(onAgent).filter((key) => /flannel|disable/.test(key))).toEqual([]);
  });

  it("names flannel's backend, and its file on every node where there is one", () => {
    const plan = { ...clusterPlan({ flannelBackend: "wireguard-native" }), flannelConf: "{}" };
    expect(read(renderConfig(plan, server))).toMatchObject({
      "flannel-backend": "wireguard-native",
      "flannel-conf": "/etc/rancher/k3s/flannel.json",
    });
    expect(read(renderConfig(plan, agent))).toMatchObject({ "flannel-conf": "/etc/rancher/k3s/flannel.json" });
    expect(read(renderConfig(clusterPlan(), agent))).not.toHaveProperty("flannel-conf");
  });

  it("leaves out the hardening guide when it is switched off", () => {
    const hardening = { ...kubernetesSettings.hardening, enabled: false };
    const config = read(renderConfig(clusterPlan({ hardening }), server));
    expect(config).not.toHaveProperty("secrets-encryption");
    expect(config["protect-kernel-defaults"]).toBe(false);
    expect(hardeningFiles(hardening, "server")).toEqual({ auditPolicy: "", admission: "", sysctl: "" });
  });

  it("writes the hardening guide's files: all on a server, the kernel settings alone on an agent", async () => {
    const files = hardeningFiles({ enabled: true, podSecurity: "baseline", exemptNamespaces: ["storage"] }, "server");
    await expect(Object.values(files).join("---\n")).toMatchFileSnapshot("__snapshots__/hardening-server.yaml");
    const onAgent = hardeningFiles(kubernetesSettings.hardening, "agent");
    expect(onAgent).toMatchObject({ auditPolicy: "", admission: "" });
    expect(onAgent.sysctl).toContain("vm.overcommit_memory=1");
  });
});

describe("labels and taints", () => {
  const spec = machineSpec("agent-1", "agent", {
    zone: "rack-1",
    labels: { tier: "edge", "topology.kubernetes.io/zone": "elsewhere" },
    taints: [
      { key: "dedicated", value: "gpu", effect: "NoSchedule" },
      { key: "intermittent", value: "", effect: "NoExecute" },
    ],
  });

  it("say where the node stands, and that is not for the user to change", () => {
    expect(labelLines(nodeLabels("tokyo", spec)).split("\n")).toEqual([
      "hybrid-k3s.io/intermittent=false",
      "hybrid-k3s.io/pool=workers",
      "hybrid-k3s.io/site=rack",
      "tier=edge",
      "topology.kubernetes.io/region=tokyo",
      "topology.kubernetes.io/zone=rack-1",
    ]);
  });

  it("are written in kubectl's form, with and without a value", () => {
    expect(taintLines(spec.taints)).toBe("dedicated=gpu:NoSchedule\nintermittent:NoExecute");
  });

  it("register with the node, so that no pod slips in before the membership", () => {
    expect(parse(renderRegistration("tokyo", spec))).toEqual({
      "node-label": [
        "topology.kubernetes.io/region=tokyo",
        "topology.kubernetes.io/zone=rack-1",
        "hybrid-k3s.io/site=rack",
        "hybrid-k3s.io/pool=workers",
        "hybrid-k3s.io/intermittent=false",
      ],
      "node-taint": ["dedicated=gpu:NoSchedule", "intermittent:NoExecute"],
    });
  });
});
