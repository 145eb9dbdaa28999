import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { reloader } from "../../components/platform/releases/reloader.ts";
import { longhorn } from "../../components/platform/releases/longhorn.ts";
import { TOPOLOGIES } from "../support/topologies.ts";
import { inspectManifests, quantity, unsized } from "../../tools/charts/inspect.ts";

const topology = TOPOLOGIES["tokyo-sapporo"];
const settings = reloader.schema.parse({ place: { site: "sapporo" } });

const container = {
  name: "main",
  image: "registry.example.net/main:1.2.3",
  securityContext: {
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  },
  resources: { requests: { cpu: "10m", memory: "64Mi" } },
};
const deployment = (spec: object = {}, of: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "main" },
  spec: {
    replicas: 1,
    template: {
      spec: { nodeSelector: { "hybrid-k3s.io/site": "sapporo" }, containers: [{ ...container, ...of }], ...spec },
    },
  },
});
const problems = (...manifests: object[]): string[] =>
  inspectManifests(reloader, topology, settings, manifests.map((one) => stringify(one)).join("---\n"));

describe("rendered manifests", () => {
  test("that keep to what the release says have nothing against them", () => {
    expect(problems(deployment())).toEqual([]);
  });

  test.each([
    [
      "that run as root",
      deployment({}, { securityContext: { ...container.securityContext, runAsNonRoot: false } }),
      "Deployment/main: main may run as root (namespace is restricted)",
    ],
    [
      "with a folder of the machine",
      deployment({ volumes: [{ name: "logs", hostPath: { path: "/var/log" } }] }),
      "Deployment/main: hostPath volume logs (namespace is restricted)",
    ],
    [
      "on the machine's network",
      deployment({ hostNetwork: true }),
      "Deployment/main: hostNetwork (namespace is restricted)",
    ],
    [
      "whose image may change",
      deployment({}, { image: "registry.example.net:5000/main" }),
      "Deployment/main: image registry.example.net:5000/main has no fixed version",
    ],
    [
      "of the newest image",
      deployment({}, { image: "main:latest" }),
      "Deployment/main: image main:latest has no fixed version",
    ],
    [
      "that may run in any site",
      deployment({ nodeSelector: {} }),
      "Deployment/main: no nodeSelector hybrid-k3s.io/site=sapporo",
    ],
    [
      "that ask for more than is said",
      deployment({}, { resources: { requests: { cpu: "1", memory: "64Mi" } } }),
      "its pods ask for 1000 m CPU together, and it says 10",
    ],
    ["without a name", { apiVersion: "v1", kind: "ConfigMap", metadata: {} }, "ConfigMap has no apiVersion or no name"],
  ])("%s are told", (_, manifest, problem) => {
    expect(problems(manifest)).toContain(problem);
  });

  test("that are no YAML are told, and looked at no further", () => {
    expect(inspectManifests(reloader, topology, settings, "a: 1\na: 2\n")).toEqual([
      expect.stringContaining("not YAML: Map keys must be unique"),
    ]);
  });

  test("a hook that is gone after a moment counts for no sum and has no place", () => {
    const hook = deployment({ nodeSelector: {} }, { resources: { requests: { cpu: "2" } } });
    expect(problems({ ...hook, kind: "Job" })).toEqual([]);
  });

  test("what `helm test` alone would start is not looked at", () => {
    const test = { ...deployment({ hostNetwork: true }), kind: "Job" };
    expect(problems({ ...test, metadata: { name: "main", annotations: { "helm.sh/hook": "test" } } })).toEqual([]);
    expect(problems(test)).toHaveLength(1);
  });

  test("a release that is privileged by what it says may be that", () => {
    const text = stringify(deployment({ hostNetwork: true, nodeSelector: { "hybrid-k3s.io/site": "tokyo" } }));
    const own = longhorn.schema.parse({ place: { site: "tokyo" } });
    expect(inspectManifests(longhorn, topology, own, text)).toEqual([]);
  });

  test("containers that ask for no memory are noted", () => {
    expect(unsized(stringify(deployment({}, { resources: {} })))).toEqual(["Deployment/main: main asks for no memory"]);
    expect(unsized(stringify(deployment()))).toEqual([]);
  });
});

test.each([
  ["250m", "cpu", 250],
  ["2", "cpu", 2000],
  ["1Gi", "memory", 1024],
  ["512Mi", "memory", 512],
  ["1G", "memory", 1e9 / 1024 ** 2],
  ["1048576", "memory", 1],
  ["much", "memory", 0],
] as const)("%s of %s is read", (text, resource, value) => {
  expect(quantity(text, resource)).toBeCloseTo(value);
});
