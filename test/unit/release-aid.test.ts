import { describe, expect, it } from "vitest";
import { releaseAid } from "../../stacks/release-aid.ts";
import { useApiServer } from "../support/api-server.ts";

const LONG_AGO = "2026-01-01T00:00:00Z";
const release = { name: "cert-manager", namespace: "cert-manager" };
const { signal } = new AbortController();

describe("what is done for a release in its cluster", () => {
  const serve = useApiServer();

  /** An API that answers listings by the last word of their path, or all of it by a status; tells what it was asked. */
  async function api(
    lists: Readonly<Record<string, readonly object[]>>,
    statusOf: (asked: string) => number = () => 200,
  ) {
    const asked: string[] = [];
    const kubeconfig = await serve((request, response, body) => {
      const path = decodeURIComponent((request.url ?? "").replaceAll("+", " "));
      const line = [request.method, path, body].filter((part) => part !== "").join(" ");
      asked.push(line);
      response.statusCode = statusOf(line);
      const kind = /([a-z]+)(?:\?|$)/.exec(request.url ?? "")?.[1] ?? "";
      response.end(JSON.stringify({ items: lists[/ notin /.test(path) ? "settled" : kind] ?? [] }));
    });
    return { kubeconfig, asked };
  }
  const deletion = (path: string, uid: string) => `DELETE ${path} {"preconditions":{"uid":"${uid}"}}`;

  const secrets = "/api/v1/namespaces/cert-manager/secrets";
  const record = (revision: number) => ({
    metadata: { name: `sh.helm.release.v1.cert-manager.v${revision}`, uid: `u-v${revision}` },
  });

  it("deletes the pending records alone, and says which", async () => {
    const { kubeconfig, asked } = await api({ secrets: [record(2)], settled: [record(1)] });
    const removed = ["sh.helm.release.v1.cert-manager.v2"];
    expect(await releaseAid.clearPending(kubeconfig, release)).toEqual({ removed, recordsLeft: true });
    const own = "labelSelector=owner=helm,name=cert-manager,status";
    expect(asked).toEqual([
      `GET ${secrets}?${own} in (pending-install,pending-upgrade,pending-rollback)`,
      `GET ${secrets}?${own} notin (pending-install,pending-upgrade,pending-rollback)&limit=1`,
      deletion(`${secrets}/sh.helm.release.v1.cert-manager.v2`, "u-v2"),
    ]);
  });

  it("says when Helm has no other record", async () => {
    const { kubeconfig } = await api({ secrets: [record(1)] });
    const removed = ["sh.helm.release.v1.cert-manager.v1"];
    expect(await releaseAid.clearPending(kubeconfig, release)).toEqual({ removed, recordsLeft: false });
  });

  it("deletes nothing where nothing is pending", async () => {
    const { kubeconfig, asked } = await api({});
    expect((await releaseAid.clearPending(kubeconfig, release)).removed).toEqual([]);
    expect(asked).toHaveLength(1);
  });

  it("says what the API refused", async () => {
    const { kubeconfig } = await api({}, () => 403);
    await expect(releaseAid.clearPending(kubeconfig, release)).rejects.toThrow(
      /^the API answered GET \/api\/v1\/namespaces\/cert-manager\/secrets\S* with 403$/,
    );
  });

  const pods = "/api/v1/namespaces/cert-manager/pods";
  const pod = (name: string, revision: string, ready: boolean, more: object = {}, since = LONG_AGO) => ({
    metadata: {
      name,
      uid: `u-${name}`,
      labels: { "controller-revision-hash": revision },
      ownerReferences: [{ kind: "StatefulSet", name: name.replace(/-\d+$/, "") }],
      ...more,
    },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: since }],
    },
  });
  const statefulSet = (name: string, spec: object = {}, of = "cert-manager") => ({
    metadata: { name, annotations: { "meta.helm.sh/release-name": of } },
    spec,
    status: { updateRevision: "new" },
  });
  const deletedOf = async (statefulsets: readonly object[], items: readonly object[]) => {
    const { kubeconfig } = await api({ statefulsets, pods: items });
    return releaseAid.deleteHeldPods(kubeconfig, release, signal);
  };

  it("deletes broken pods of an earlier revision of the release's own stateful sets, and no others of their names", async () => {
    const { kubeconfig, asked } = await api({
      statefulsets: [
        statefulSet("store"),
        statefulSet("foreign", {}, "other"),
        statefulSet("sealed", { updateStrategy: { type: "OnDelete" } }),
      ],
      pods: [
        pod("store-0", "old", true),
        pod("store-1", "old", false),
        pod("foreign-0", "old", false),
        pod("sealed-0", "old", false),
        { metadata: { name: "alone", uid: "u-alone" }, status: { phase: "Pending" } },
      ],
    });
    expect(await releaseAid.deleteHeldPods(kubeconfig, release, signal)).toEqual(["pod store-1"]);
    expect(asked.filter((line) => line.startsWith("DELETE"))).toEqual([deletion(`${pods}/store-1`, "u-store-1")]);
  });

  it.each([
    ["is of the newest revision", pod("store-0", "new", false)],
    ["goes already", pod("store-0", "old", false, { deletionTimestamp: LONG_AGO })],
    ["had no time to become ready", pod("store-0", "old", false, {}, new Date().toISOString())],
  ])("waits with the set for its first pod that is not ready where that %s", async (_, first) => {
    expect(await deletedOf([statefulSet("store")], [first, pod("store-1", "old", false)])).toEqual([]);
  });

  it("deletes one pod of a set, the one that the set waits for", async () => {
    const broken = ["10", "2", "9"].map((ordinal) => pod(`store-${ordinal}`, "old", false));
    expect(await deletedOf([statefulSet("store")], broken)).toEqual(["pod store-2"]);
    const parallel = statefulSet("store", { podManagementPolicy: "Parallel" });
    expect(await deletedOf([parallel], broken)).toEqual(["pod store-10"]);
    const replaced = broken.map((one) => (one.metadata.name === "store-10" ? pod("store-10", "new", false) : one));
    expect(await deletedOf([parallel], replaced)).toEqual(["pod store-9"]);
  });

  it("leaves a pod below the set's partition alone: it would come back as it was", async () => {
    const spec = { ordinals: { start: 1 }, updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } };
    expect(await deletedOf([statefulSet("store", spec)], [pod("store-2", "old", false)])).toEqual([]);
    expect(await deletedOf([statefulSet("store", spec)], [pod("store-3", "old", false)])).toEqual(["pod store-3"]);
  });

  it.each([404, 409, 500])("tells what it deleted, whether or not another deletion ends with %i", async (status) => {
    const lists = {
      statefulsets: ["cache", "log", "store"].map((name) => statefulSet(name)),
      pods: ["cache-0", "log-0", "store-0"].map((name) => pod(name, "old", false)),
    };
    const { kubeconfig } = await api(lists, (asked) => (asked.includes("/log-0 ") ? status : 200));
    expect(await releaseAid.deleteHeldPods(kubeconfig, release, signal)).toEqual(["pod cache-0", "pod store-0"]);
  });

  it("deletes nothing more once the update has ended", async () => {
    const ended = new AbortController();
    const lists = {
      statefulsets: ["cache", "store"].map((name) => statefulSet(name)),
      pods: ["cache-0", "store-0"].map((name) => pod(name, "old", false)),
    };
    const { kubeconfig, asked } = await api(lists, (line) => {
      if (line.startsWith("DELETE")) ended.abort();
      return 200;
    });
    expect(await releaseAid.deleteHeldPods(kubeconfig, release, ended.signal)).toEqual(["pod cache-0"]);
    expect(asked.filter((line) => line.startsWith("DELETE"))).toHaveLength(1);
  });

  it("says what is wrong with each pod that is not ready", async () => {
    const { kubeconfig } = await api({ pods: [pod("store-0", "new", false), pod("store-1", "new", true)] });
    expect(await releaseAid.troubles(kubeconfig, release)).toEqual(["pod store-0: is being started (Running)"]);
  });
});
