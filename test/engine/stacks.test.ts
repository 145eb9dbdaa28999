import { afterAll, describe, expect, test } from "vitest";
import { succeeded, type RehearsalReport } from "../../rehearsal/report.ts";
import { rehearse } from "../../rehearsal/runner.ts";
import { World } from "../../rehearsal/world/world.ts";

const reports = new Map<string, { report: RehearsalReport; world: World }>();
async function rehearsed(stack: string) {
  const known = reports.get(stack);
  if (known !== undefined) return known;
  const world = new World();
  const made = { report: await rehearse({ stack, world }), world };
  reports.set(stack, made);
  return made;
}
afterAll(() => {
  reports.clear();
});

describe.each(["dev", "fsn1", "mn", "prod"])("Pulumi.%s.yaml", (stack) => {
  test("is created in one run, and the second preview has nothing to do", async () => {
    const { report } = await rehearsed(stack);
    expect(report.failure).toBeUndefined();
    expect(report.steps).toEqual({ create: expect.any(Number) as number, update: 0, replace: 0, delete: 0 });
    expect(report.secondPreview).toBe("clean");
    expect(succeeded(report)).toBe(true);
  });

  test("servers come one after another in the order of their names, agents after all of them", async () => {
    const { report } = await rehearsed(stack);
    const names = (role: string) =>
      report.nodes
        .filter((node) => node.role === role)
        .map(({ name }) => name)
        .sort();
    const order = report.order.filter((name) => /-(k3s|member)$/.test(name));
    const servers = names("server").flatMap((name) => [`${name}-k3s`, `${name}-member`]);
    expect(order.slice(0, servers.length)).toEqual(servers);
    expect(order).toHaveLength(2 * report.nodes.length);
  });

  test("one cluster is started, every node is Ready in it, and its API answers from the first server on", async () => {
    const { report, world } = await rehearsed(stack);
    expect(world.clusters).toHaveLength(1);
    const [cluster] = world.clusters;
    expect(report.nodes.filter(({ name }) => cluster?.ready(name) !== true)).toEqual([]);
    const up = world.events.map(({ clusters }) => clusters[0]?.apiUp === true);
    expect(up.slice(up.indexOf(true))).not.toContain(false);
  });

  test("no secret of the stack stands in the report", async () => {
    const { report } = await rehearsed(stack);
    expect(JSON.stringify(report)).not.toMatch(/PRIVATE KEY|K10[0-9a-f]{64}/);
  });
});

test.each([
  [
    "prod",
    [
      "alloy",
      "argo-cd",
      "cert-manager",
      "cloudnative-pg",
      "kube-prometheus-stack",
      "loki",
      "openebs",
      "plugin-barman-cloud",
    ],
  ],
  ["mn", ["cert-manager", "k8ssandra-operator", "kube-prometheus-stack", "nats", "openebs"]],
  ["fsn1", ["cert-manager", "k8ssandra-operator", "kube-prometheus-stack", "nats", "openebs"]],
])("%s carries its releases", async (stack, releases) => {
  const { report, world } = await rehearsed(stack);
  expect(report.releases.map(({ name }) => name)).toEqual(releases);
  const [cluster] = world.clusters;
  const wanted =
    stack === "prod"
      ? ["Cluster databases/main", "ScheduledBackup databases/main"]
      : ["K8ssandraCluster k8ssandra-operator/cassandra"];
  for (const object of wanted) expect([...cluster!.objects]).toContain(object);
});

test("the platform of prod is installed with the version that versions.yaml pins", async () => {
  const { report } = await rehearsed("prod");
  expect(report.releases.map(({ name, namespace }) => ({ name, namespace }))).toContainEqual({
    name: "cert-manager",
    namespace: "cert-manager",
  });
});
