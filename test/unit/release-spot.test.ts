import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ingressSpot, TRAEFIK_TOLERATIONS } from "../../components/platform/ingress-spot.ts";
import type { ReleaseDefinition } from "../../components/platform/release.ts";
import { crowdsec } from "../../components/platform/releases/crowdsec.ts";
import { envoyGateway } from "../../components/platform/releases/envoy-gateway.ts";
import { hcloudCsi } from "../../components/platform/releases/hcloud-csi.ts";
import { traefik } from "../../components/platform/releases/traefik.ts";
import { spotFor } from "../../components/platform/spot.ts";
import type { Topology, TopologyPool } from "../../components/platform/topology.ts";
import { topologyOf } from "../../stacks/topology.ts";
import { TOPOLOGIES } from "../support/topologies.ts";
import { regionOf } from "./guardrails-cases.ts";

const DEDICATED = { key: "dedicated", value: "ingress", effect: "NoSchedule" } as const;
const TOLERATED = { key: "dedicated", operator: "Equal", value: "ingress", effect: "NoSchedule" };

/** Hetzner's servers, with taints on the pool that takes requests and perhaps another `ingress`. */
const tainted = (taints: TopologyPool["taints"], ingress = true): Topology => {
  const { pools, ...rest } = TOPOLOGIES["one-site"];
  return { ...rest, pools: pools.map((pool) => (pool.name === "work" ? { ...pool, taints, ingress } : pool)) };
};
const given = (definition: ReleaseDefinition, topology: Topology, settings: unknown = {}) =>
  [topology, definition.schema.parse(settings) as never] as const;

const traefikValues = (topology: Topology) => {
  const [config] = traefik.objects!(...given(traefik, topology));
  return parse((config!["spec"] as { valuesContent: string }).valuesContent) as Record<string, unknown>;
};
const SERVICE = "svccontroller.k3s.cattle.io/tolerations";
const GATEWAY = { gateway: { host: "example.net" } };

describe("a pool that a taint keeps for requests from outside", () => {
  test("has Traefik, which goes on tolerating what k3s's own does, and the balancer's pods before it", () => {
    const values = traefikValues(tainted([DEDICATED]));
    const tolerations = [
      { key: "CriticalAddonsOnly", operator: "Exists" },
      { key: "node-role.kubernetes.io/control-plane", operator: "Exists", effect: "NoSchedule" },
      TOLERATED,
    ];
    expect(values).toMatchObject({
      tolerations,
      nodeSelector: { "svccontroller.k3s.cattle.io/enablelb": "true" },
      service: { annotations: { [SERVICE]: JSON.stringify(tolerations) } },
    });
    const [workload] = traefik.workloads(...given(traefik, tainted([DEDICATED])));
    expect(workload!.spot.pools.map(({ name }) => name)).toEqual(["work"]);
  });

  test("is tolerated by its value as a text, also where helm reads that for something else", () => {
    const yes = { ...DEDICATED, value: "yes" };
    const [config] = traefik.objects!(...given(traefik, tainted([yes])));
    expect((config!["spec"] as { valuesContent: string }).valuesContent).toContain('value: "yes"');
  });

  test("has CrowdSec's agent, which reads Traefik's log there", () => {
    expect(crowdsec.values(...given(crowdsec, tainted([DEDICATED])))).toMatchObject({
      agent: { tolerations: [...TRAEFIK_TOLERATIONS, TOLERATED] },
    });
  });

  test("has Envoy's proxies, and the balancer's pods before them", () => {
    const objects = envoyGateway.objects!(...given(envoyGateway, tainted([DEDICATED]), GATEWAY));
    const [proxies, gateway] = ["EnvoyProxy", "Gateway"].map((kind) => objects.find((one) => one.kind === kind));
    expect(proxies).toMatchObject({
      kind: "EnvoyProxy",
      spec: {
        provider: {
          kubernetes: {
            envoyDaemonSet: {
              pod: { tolerations: [TOLERATED], nodeSelector: { "svccontroller.k3s.cattle.io/enablelb": "true" } },
            },
            envoyService: { annotations: { [SERVICE]: JSON.stringify([TOLERATED]) } },
          },
        },
      },
    });
    expect(gateway).toMatchObject({
      spec: { infrastructure: { parametersRef: { kind: "EnvoyProxy", name: proxies!.metadata.name } } },
    });
  });

  test("is left to what is written for it: without a taint nothing is tolerated but what Traefik always does", () => {
    expect(traefikValues(tainted([]))).not.toHaveProperty("tolerations");
    expect(traefikValues(tainted([])).service).toEqual({ spec: { externalTrafficPolicy: "Local" } });
    expect(crowdsec.values(...given(crowdsec, tainted([])))).toMatchObject({
      agent: { tolerations: TRAEFIK_TOLERATIONS },
    });
  });

  test("is not tolerated where it takes no requests: its machines are not counted", () => {
    const [workload] = traefik.workloads(...given(traefik, tainted([DEDICATED], false)));
    expect(workload!.spot.pools.map(({ name }) => name)).toEqual(["control"]);
    expect(traefikValues(tainted([DEDICATED], false))).not.toHaveProperty("tolerations");
  });
});

describe("work on every node", () => {
  const names = (topology: Topology, tolerations?: Parameters<typeof spotFor>[3]) =>
    spotFor(topology, {}, "every-node", tolerations).pools.map(({ name }) => name);

  test("is on machines with a taint only where it tolerates that", () => {
    expect(names(tainted([DEDICATED]))).toEqual(["control"]);
    expect(names(tainted([DEDICATED]), [{ operator: "Exists" }])).toEqual(["control", "work"]);
    expect(names(tainted([DEDICATED]), [{ operator: "Exists", effect: "NoSchedule" }])).toEqual(["control", "work"]);
    expect(names(tainted([DEDICATED]), [{ operator: "Exists", effect: "NoExecute" }])).toEqual(["control"]);
    expect(names(tainted([DEDICATED]), [{ key: "dedicated", operator: "Equal", value: "gpu" }])).toEqual(["control"]);
    expect(names(tainted([DEDICATED, { ...DEDICATED, key: "own" }]), [{ key: "own", operator: "Exists" }])).toEqual([
      "control",
    ]);
  });

  test("of Hetzner's volumes is on all machines, and their controller where pods may run", () => {
    const pools = hcloudCsi
      .workloads(...given(hcloudCsi, tainted([DEDICATED]), { token: "x" }))
      .map(({ name, spot }) => [name, spot.pools.map((pool) => pool.name)]);
    expect(pools).toEqual([
      ["controller", ["control"]],
      ["node", ["control", "work"]],
    ]);
  });
});

describe("a pool of which some machines have a taint", () => {
  const taints = ["dedicated=db:NoSchedule"];
  const parts = (machines: Parameters<typeof regionOf>[0]) => topologyOf(regionOf(machines)).pools;

  test("stands in the topology in parts, each with its own machines", () => {
    const pools = parts({
      machines: [
        ["rack/server a 10.20.0.11", { cpus: 2, memory: "4GiB" }],
        ["rack/server b 10.20.0.12", { taints }],
        ["rack/server c 10.20.0.13", { taints }],
      ],
    });
    expect(pools.map(({ name, nodes, sizes, taints: own }) => [name, nodes, sizes.length, own.length])).toEqual([
      ["server", 1, 1, 0],
      ["server", 2, 0, 1],
    ]);
  });

  test("stands there in parts, too, where some machines alone take requests", () => {
    const region = regionOf({
      machines: [["rack/server a 10.20.0.11"], ["rack/server b 10.20.0.12", { ingress: true }]],
    });
    expect(ingressSpot(topologyOf(region), {})).toMatchObject({
      pools: [{ name: "server", nodes: 1 }],
      nodeSelector: { "svccontroller.k3s.cattle.io/enablelb": "true" },
    });
  });

  test("is one where the taint only asks pods to go elsewhere first", () => {
    const soft = { taints: ["dedicated=db:PreferNoSchedule"] };
    expect(parts({ machines: [["rack/server a 10.20.0.11"], ["rack/server b 10.20.0.12", soft]] })).toHaveLength(1);
  });
});
