import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { ciliumChart, ciliumPool, ciliumValues } from "../../components/k3s/cilium-values.ts";
import { podNetwork } from "../../stacks/pod-network.ts";
import { parseSettings } from "../../stacks/settings.ts";
import { readVersions } from "../../stacks/versions.ts";
import { ciliumPlan } from "../support/sample.ts";
import { goodFixture } from "./settings-fixtures.ts";

const POOL = [{ start: "10.20.0.200", stop: "10.20.0.220" }];

describe("Cilium's values", () => {
  test("reach the API by k3s's own way to it, state the MTU, and leave the mesh's interface alone", () => {
    expect(ciliumValues(ciliumPlan(), 5)).toEqual({
      kubeProxyReplacement: true,
      k8sServiceHost: "127.0.0.1",
      k8sServicePort: 6444,
      ipam: { mode: "kubernetes" },
      routingMode: "tunnel",
      tunnelProtocol: "vxlan",
      MTU: 1280,
      devices: ["!tailscale0"],
      operator: { replicas: 2 },
      hubble: { enabled: false, relay: { enabled: false }, ui: { enabled: false } },
    });
  });

  test("have one operator where there is one node, and no list of interfaces where there is no mesh", () => {
    const values = ciliumValues(ciliumPlan({ kubeProxyReplacement: false }, { devices: [] }), 1);
    expect(values).toMatchObject({ operator: { replicas: 1 }, kubeProxyReplacement: false });
    expect(values).not.toHaveProperty("devices");
  });

  test("switch Hubble and announcements on where they are asked for", () => {
    expect(ciliumValues(ciliumPlan({ hubble: true, loadBalancerPool: POOL }), 3)).toMatchObject({
      hubble: { enabled: true, relay: { enabled: true }, ui: { enabled: true } },
      l2announcements: { enabled: true },
      k8sClientRateLimit: { qps: 20, burst: 40 },
    });
  });

  test("give way to the user's: maps are merged, lists and values replaced", () => {
    const values = { operator: { rollOutPods: true }, devices: ["eth+"], MTU: 1400 };
    expect(ciliumValues(ciliumPlan({ values }), 3)).toMatchObject({
      operator: { replicas: 2, rollOutPods: true },
      devices: ["eth+"],
      MTU: 1400,
    });
  });
});

test("the chart is installed on nodes that are not Ready, and never uninstalled by a failed upgrade", () => {
  const chart = parse(ciliumChart(ciliumPlan(), 3)) as { spec: { valuesContent: string } };
  expect(chart).toMatchObject({
    apiVersion: "helm.cattle.io/v1",
    kind: "HelmChart",
    metadata: { name: "cilium", namespace: "kube-system" },
    spec: {
      repo: "https://helm.cilium.io/",
      chart: "cilium",
      version: "1.20.2",
      targetNamespace: "kube-system",
      bootstrap: true,
      failurePolicy: "abort",
    },
  });
  expect(parse(chart.spec.valuesContent)).toEqual(ciliumValues(ciliumPlan(), 3));
});

describe("the pool of addresses", () => {
  test("is announced by the nodes of its LAN alone", () => {
    const objects = parseAllDocuments(ciliumPool(ciliumPlan({ loadBalancerPool: POOL }, { poolSite: "rack" }))).map(
      (document) => document.toJS() as object,
    );
    expect(objects).toEqual([
      {
        apiVersion: "cilium.io/v2",
        kind: "CiliumLoadBalancerIPPool",
        metadata: { name: "hybrid-k3s" },
        spec: { blocks: POOL },
      },
      {
        apiVersion: "cilium.io/v2alpha1",
        kind: "CiliumL2AnnouncementPolicy",
        metadata: { name: "hybrid-k3s" },
        spec: { loadBalancerIPs: true, nodeSelector: { matchLabels: { "hybrid-k3s.io/site": "rack" } } },
      },
    ]);
  });

  test("is not there where the settings state none", () => {
    expect(ciliumPool(ciliumPlan())).toBe("");
  });
});

describe("the pod network of a region", () => {
  const networkOf = (name: string, more: Record<string, unknown> = {}) => {
    const { settings, regions } = goodFixture(name);
    return podNetwork(parseSettings({ ...settings, ...more }, regions), readVersions());
  };

  test("is flannel's own choice without a mesh", () => {
    expect(networkOf("minimal")).toEqual({});
  });

  test("is flannel with the mesh's MTU in a mesh", () => {
    expect(JSON.parse(networkOf("minimal", { mesh: { provider: "tailscale" } }).flannelConf ?? "")).toMatchObject({
      Network: "10.66.0.0/16",
      Backend: { Type: "vxlan", MTU: 1280 },
    });
    expect(JSON.parse(networkOf("tailscale").flannelConf ?? "")).toMatchObject({
      Backend: { Type: "wireguard", MTU: 1280 },
    });
  });

  test("is Cilium with the MTU of what lies below, and the site whose LAN has its addresses", () => {
    expect(networkOf("netbird")).toMatchObject({
      cilium: {
        settings: { version: "1.19.7" },
        repository: "https://helm.cilium.io/",
        chart: "cilium",
        underlay: 1280,
        devices: ["!wt0"],
        poolSite: "rack",
      },
    });
    const kubernetes = { version: "v1.36.3+k3s1", cni: "cilium" };
    expect(networkOf("hetzner", { kubernetes }).cilium).toMatchObject({ underlay: 1450, devices: [] });
  });
});
