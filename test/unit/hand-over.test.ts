import { describe, expect, test } from "vitest";
import { CATALOGUE } from "../../components/platform/catalogue.ts";
import { closedDefaultProject, handedOverProjects, rootProject } from "../../components/platform/hand-over.ts";
import { argoCd } from "../../components/platform/releases/argo-cd.ts";
import { parseSettings } from "../../stacks/settings.ts";
import { topologyOf } from "../../stacks/topology.ts";
import { type ArgoObject, permits } from "../support/argo-project.ts";
import { releaseFixture } from "../support/release-fixtures.ts";
import { TOPOLOGIES } from "../support/topologies.ts";
import { goodFixture } from "./settings-fixtures.ts";

const REPOSITORY = "git@github.com:acme/cluster.git";
const deployment = (namespace: string): ArgoObject => ({ group: "apps", kind: "Deployment", name: "x", namespace });
const namespaced = (name: string): ArgoObject => ({ group: "", kind: "Namespace", name });
const clusterRole: ArgoObject = { group: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "x" };
const [platform, workloads] = handedOverProjects(TOPOLOGIES["tokyo-sapporo"]);

/** A region as its settings make it, with some releases. */
const regionWith = (releases: Record<string, unknown>, kubernetes: Record<string, unknown> = {}) => {
  const { settings, regions } = goodFixture("minimal");
  return topologyOf(
    parseSettings(
      { ...settings, kubernetes: { ...(settings["kubernetes"] as object), ...kubernetes }, platform: releases },
      regions,
    ),
  );
};

describe("the namespaces that are not Argo CD's", () => {
  test("are those of Kubernetes where a region has no releases", () => {
    expect(regionWith({}).ownedNamespaces).toEqual(["kube-node-lease", "kube-public", "kube-system"]);
  });

  test("are also Cilium's where it is the pod network", () => {
    expect(regionWith({}, { cni: "cilium" }).ownedNamespaces).toContain("cilium-secrets");
  });

  test.each(CATALOGUE.map((definition) => [definition.name, definition] as const))(
    "are also that of %s where the region has it",
    (name, { namespace }) => {
      expect(regionWith({ [name]: releaseFixture(name, "minimal") }).ownedNamespaces).toContain(namespace);
    },
  );

  test("are each there once, in order, and no more than that", () => {
    expect(regionWith({ "cert-manager": {}, "argo-cd": {} }).ownedNamespaces).toEqual([
      "argocd",
      "cert-manager",
      "kube-node-lease",
      "kube-public",
      "kube-system",
    ]);
  });
});

describe.each([
  ["platform", platform!],
  ["workloads", workloads!],
])("the project %s", (_name, project) => {
  test.each(TOPOLOGIES["tokyo-sapporo"].ownedNamespaces)(
    "writes nothing into %s, nor the namespace itself",
    (owned) => {
      expect(permits(project, deployment(owned))).toBe(false);
      expect(permits(project, namespaced(owned))).toBe(false);
    },
  );

  test("writes into every other namespace, and makes it", () => {
    for (const name of ["default", "shop", "argocd-apps", "kube-systems"]) {
      expect([name, permits(project, deployment(name))]).toEqual([name, true]);
      expect([name, permits(project, namespaced(name))]).toEqual([name, true]);
    }
  });

  test("writes into no other cluster", () => {
    expect(permits(project, deployment("shop"), "https://other.example.net:6443")).toBe(false);
  });

  test("is among Argo CD's objects, with and without a repository", () => {
    for (const kind of ["minimal", "all"] as const) {
      const settings = argoCd.schema.parse(releaseFixture("argo-cd", kind)) as never;
      expect(argoCd.objects?.(TOPOLOGIES["tokyo-sapporo"], settings)).toContainEqual(project);
    }
  });
});

test("only the project platform writes objects of the whole cluster beside namespaces", () => {
  expect(permits(platform!, clusterRole)).toBe(true);
  expect(permits(workloads!, clusterRole)).toBe(false);
});

test("a release that is added closes its namespace, and one that is removed opens it", () => {
  const [with_, without] = [{ "cert-manager": {} }, {}].map((releases) => handedOverProjects(regionWith(releases))[1]!);
  expect(permits(with_!, deployment("cert-manager"))).toBe(false);
  expect(permits(without!, deployment("cert-manager"))).toBe(true);
});

describe("the root application's project", () => {
  const project = rootProject(REPOSITORY);
  const object = (kind: string, namespace = "argocd"): ArgoObject => ({
    group: "argoproj.io",
    kind,
    name: "x",
    namespace,
  });

  test("makes applications and sets of them, in Argo CD's namespace", () => {
    expect(permits(project, object("Application"))).toBe(true);
    expect(permits(project, object("ApplicationSet"))).toBe(true);
    expect(permits(project, object("Application", "shop"))).toBe(false);
  });

  test("cannot widen a project, nor write anything else beside them", () => {
    expect(permits(project, object("AppProject"))).toBe(false);
    expect(permits(project, deployment("argocd"))).toBe(false);
    expect(permits(project, namespaced("shop"))).toBe(false);
  });
});

test("the project that an application gets which names none permits nothing, and is there before Argo CD makes it", () => {
  expect(permits(closedDefaultProject, deployment("shop"))).toBe(false);
  expect(permits(closedDefaultProject, namespaced("shop"))).toBe(false);
  const settings = argoCd.schema.parse({}) as never;
  expect(argoCd.values(TOPOLOGIES["one-site"], settings)).toMatchObject({ extraObjects: [closedDefaultProject] });
});

test("Argo CD leaves k3s's own charts alone: they would carry anything past the projects", () => {
  const settings = argoCd.schema.parse({}) as never;
  const { configs } = argoCd.values(TOPOLOGIES["one-site"], settings) as { configs: { cm: Record<string, string> } };
  expect(configs.cm["resource.exclusions"]).toContain("HelmChartConfig");
});
