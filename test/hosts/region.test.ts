import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeSteps } from "../../rehearsal/engine/steps.ts";
import type { RunRecord } from "../../rehearsal/engine/steps.ts";
import { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { apiCredentials, pollApi, type ApiCredentials } from "../support/lab/api-poller.ts";
import { describeHosts } from "../support/lab/describe-hosts.ts";
import { createLab, type Lab } from "../support/lab/lab.ts";
import { labPlan } from "../support/lab/lab-sites.ts";
import { standInRelease } from "../support/lab/mirror.ts";
import { machineChange, regionSettings } from "../support/lab/region-settings.ts";
import { eventually } from "../support/lab/run.ts";

const VERSION = process.env["K3S_VERSION"] ?? "v1.36.3+k3s1";
const NEXT = process.env["K3S_NEXT_VERSION"] ?? "v1.36.4+k3s1";
const binary = process.env["K3S_BINARY"] ?? "";
const nextBinary = process.env["K3S_NEXT_BINARY"] ?? "";
const images = process.env["K3S_IMAGES"] ?? "";
const real = binary !== "";

/** What a host that was given back has none of. */
const LEFTOVERS =
  "ls -d /usr/local/bin/* /etc/rancher /var/lib/rancher /var/lib/kubelet /var/lib/cni /etc/cni /etc/hybrid-k3s " +
  "/etc/systemd/system/k3s* /etc/sysctl.d/90-hybrid-k3s.conf /var/tmp/hybrid-k3s-* /run/k3s /run/flannel 2>/dev/null; " +
  "pgrep -af '/k3s (server|agent)|[c]ontainerd' || true; ip -o link show | grep -E 'flannel|cni0' || true";

/** One pod on every node that answers with its name; it may run under the restricted pod security level. */
const PODS = (nodes: readonly string[]): string =>
  nodes
    .map((node) =>
      stringify({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: `on-${node}`, labels: { app: "lab" } },
        spec: {
          nodeName: node,
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: "RuntimeDefault" } },
          tolerations: [{ operator: "Exists" }],
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: "web",
              image: process.env["K3S_TEST_IMAGE"] ?? "docker.io/library/busybox:proof",
              imagePullPolicy: "Never",
              command: ["sh", "-c", `echo ${node} >/tmp/name; exec httpd -f -p 8080 -h /tmp`],
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
            },
          ],
        },
      }),
    )
    .join("---\n");

const release = (lab: Lab, version: string, file: string) =>
  file === ""
    ? standInRelease(join(lab.folder, "releases"), version)
    : { version, binary: file, installer: process.env["K3S_INSTALLER"] ?? "" };

describeHosts(`a region on real hosts, with ${real ? "a real k3s" : "a stand-in for k3s"}`, () => {
  let lab: Lab;
  let rehearsal: Rehearsal;
  let credentials: ApiCredentials | undefined;
  let started = Date.now();

  const said = ({ failure, messages }: RunRecord): string => failure ?? messages.map(({ text }) => text).join("\n");
  const servers = () => lab.hosts.filter(({ site }) => site === "tokyo");
  const kubectl = async (command: string, on = "server-c"): Promise<string> =>
    (await lab.exec(on, `k3s kubectl ${command}`, { seconds: 120 })).stdout;

  /** Runs an update that must succeed, and a preview after it that must be clean; returns its steps. */
  async function update(): Promise<string[]> {
    started = Date.now();
    const record = await rehearsal.up();
    expect(record.failure, said(record)).toBeUndefined();
    const second = await rehearsal.preview();
    expect(second.failure, said(second)).toBeUndefined();
    expect(describeSteps(second.steps)).toEqual([]);
    console.log(`${record.steps.length} steps in ${record.seconds.toFixed(1)} s`);
    return describeSteps(record.steps, true);
  }

  /** Runs an update while the API is watched; some server must have been ready at any time. */
  async function watchedUpdate(untouched: readonly string[]): Promise<string[]> {
    const stop = pollApi(servers(), credentials);
    const steps = await update();
    const seen = await stop();
    console.log("API:", JSON.stringify(seen));
    expect(seen.rounds).toBeGreaterThan(1);
    expect(seen.longestOutage).toBe(0);
    // A watcher may lose one question to a busy machine, not more.
    for (const name of untouched) expect(seen.longestGaps[name], `${name} was away`).toBeLessThan(3);
    return steps;
  }

  beforeAll(async () => {
    lab = await createLab(labPlan(3, 2));
    lab.publish(release(lab, VERSION, binary));
    if (!real || nextBinary !== "") lab.publish(release(lab, NEXT, nextBinary));
    if (images !== "") copyFileSync(images, join(lab.mirror, "images.tar"));
    rehearsal = await Rehearsal.open({
      stack: "lab",
      settingsText: stringify({ config: regionSettings(lab, VERSION) }),
      secrets: { "hybrid-k3s:sshPrivateKey": lab.privateKey },
      backend: "ssh",
      onFinished: ({ op, name, custom }) => {
        if (custom) console.log(`${((Date.now() - started) / 1000).toFixed(1)} s: ${op} ${name}`);
      },
      say: console.log,
    });
  });
  afterAll(async () => {
    await rehearsal.close();
    lab.close();
  });

  it("comes up from nothing, and the next preview is clean", async () => {
    await update();
    const nodes = await kubectl("get nodes -o name");
    expect(nodes.trim().split("\n").sort()).toEqual(lab.hosts.map(({ name }) => `node/${name}`).sort());
    if (real) credentials = await apiCredentials(lab, "server-c");
  });

  it.runIf(real)("has every node Ready, with its labels, on its private address", async () => {
    await kubectl("wait --for=condition=Ready node --all --timeout=60s");
    const { items } = JSON.parse(await kubectl("get nodes -o json")) as {
      items: {
        metadata: { name: string; labels: Record<string, string> };
        status: { addresses: { address: string }[] };
      }[];
    };
    for (const { metadata, status } of items) {
      const host = lab.host(metadata.name);
      expect(metadata.labels["hybrid-k3s.io/site"]).toBe(host.site);
      expect(metadata.labels["topology.kubernetes.io/region"]).toBe("workstation");
      expect(metadata.labels["example.com/disk"]).toBe(host.site === "home" ? "slow" : undefined);
      expect(status.addresses.map(({ address }) => address)).toContain(host.address);
    }
  });

  it.runIf(real && images !== "")("runs a pod on each node, and every pod reaches every pod", async () => {
    await podsReachEachOther(lab.hosts.map(({ name }) => name));
  });

  async function podsReachEachOther(nodes: readonly string[]): Promise<void> {
    await lab.exec("server-c", "k3s kubectl apply -f -", { input: PODS(nodes), seconds: 60 });
    await kubectl("wait --for=condition=Ready pod -l app=lab --timeout=90s");
    const list = await kubectl(
      `get pod -l app=lab -o 'jsonpath={range .items[*]}{.spec.nodeName} {.status.podIP}{"\\n"}{end}'`,
    );
    const pods = list
      .trim()
      .split("\n")
      .map((line) => line.split(" ") as [string, string]);
    expect(pods).toHaveLength(nodes.length);
    for (const from of nodes) {
      // From inside the pod's own network namespace: the one that CNI made for it on its node.
      const program = `namespace=$(ip -o netns list | awk '/cni-/ { print $1; exit }')
for address in ${pods.map(([, address]) => address).join(" ")}; do
  ip netns exec "$namespace" curl --silent --show-error --max-time 10 "http://$address:8080/name"
done`;
      const { stdout } = await lab.exec(from, program);
      expect(stdout.trim().split("\n"), `from ${from}`).toEqual(pods.map(([node]) => node));
    }
  }

  it("keeps secrets out of logs and command lines", async () => {
    const { stdout: words } = await lab.exec("server-a", "cat /etc/rancher/k3s/token /etc/rancher/k3s/agent-token");
    const secret = words.trim().split(":").at(-1) ?? "";
    expect(secret.length).toBeGreaterThan(30);
    const found = await lab.exec(
      "server-a",
      `journalctl --no-pager; ps axww -o args; cat /tmp/* /var/tmp/* 2>/dev/null; true`,
    );
    expect(found.stdout).not.toContain(secret.slice(-40));
  });

  it("removes an agent, and nothing of it is left on its host or in the cluster", async () => {
    await rehearsal.edit(machineChange(lab.host("agent-b"), null));
    const steps = await watchedUpdate(["server-a", "server-b", "server-c"]);
    expect(steps).toEqual(["delete agent-b-host", "delete agent-b-k3s", "delete agent-b-member"]);
    expect((await lab.exec("agent-b", LEFTOVERS)).stdout).toBe("");
    expect(await kubectl("get nodes -o name")).not.toContain("agent-b");
    expect(await kubectl("-n kube-system get secret -o name")).not.toContain("agent-b.node-password.k3s");
  });

  it.each([
    ["server-b", ["server-a", "server-c"]],
    ["server-a", ["server-b", "server-c"]],
  ])("replaces %s, and the API answers throughout", async (name, others) => {
    await rehearsal.edit(machineChange(lab.host(name), { generation: 2 }));
    const steps = await watchedUpdate(others);
    expect(steps).toEqual([`replace ${name}-host`, `replace ${name}-k3s`, `replace ${name}-member`]);
    const list = await kubectl("get nodes -l node-role.kubernetes.io/etcd -o name", others[1]);
    expect(list.trim().split("\n").sort()).toEqual(["node/server-a", "node/server-b", "node/server-c"]);
    if (real) await expectThreeMembers(others[1] ?? "");
  });

  async function expectThreeMembers(on: string): Promise<void> {
    const etcd = "/var/lib/rancher/k3s/server/tls/etcd";
    const ask = `curl --silent --max-time 10 --cacert ${etcd}/server-ca.crt --cert ${etcd}/client.crt --key ${etcd}/client.key -X POST -d '{}' https://127.0.0.1:2382/v3/cluster/member/list`;
    const { members } = JSON.parse((await lab.exec(on, ask)).stdout) as {
      members: { name: string; isLearner?: boolean }[];
    };
    expect(members.map(({ name }) => name.replace(/-[0-9a-f]{8}$/, "")).sort()).toEqual([
      "server-a",
      "server-b",
      "server-c",
    ]);
    expect(members.some(({ isLearner }) => isLearner === true)).toBe(false);
  }

  it.runIf(real && images !== "")("still runs pods that reach each other", async () => {
    await podsReachEachOther(["agent-a", "server-a", "server-b", "server-c"]);
  });

  it("replaces an agent whose host was reinstalled and has another key", async () => {
    await lab.start("agent-a", { wipe: true, newHostKey: true });
    const { hostKey } = lab.host("agent-a");
    await rehearsal.edit(machineChange(lab.host("agent-a"), { generation: 2, hostKey }));
    const steps = await watchedUpdate(["server-a", "server-b", "server-c"]);
    expect(steps).toEqual(["replace agent-a-host", "replace agent-a-k3s", "replace agent-a-member"]);
  });

  it.runIf(!real || nextBinary !== "")("raises the version one server after another", async () => {
    await rehearsal.edit({ "hybrid-k3s:kubernetes": { version: NEXT } });
    const steps = await watchedUpdate([]);
    const names = ["agent-a", "server-a", "server-b", "server-c"];
    expect(steps).toEqual(names.flatMap((name) => [`update ${name}-k3s`, `update ${name}-member`]));
    if (real) {
      const versions = await kubectl("get nodes -o 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'");
      expect(new Set(versions.split(" "))).toEqual(new Set([NEXT]));
    }
  });

  it("survives a power cut of all hosts", async () => {
    for (const { name } of lab.hosts) lab.kill(name);
    await Promise.all(lab.hosts.map(({ name }) => lab.start(name)));
    await eventually("the API after the power cut", { seconds: 180, every: 2 }, async () => {
      const done = await lab.exec("server-c", "k3s kubectl get --raw /readyz", { mayFail: true, seconds: 30 });
      return done.stdout === "ok" ? true : undefined;
    });
    const preview = await rehearsal.preview();
    expect(describeSteps(preview.steps)).toEqual([]);
  });

  it("gives every host back when the region is destroyed", async () => {
    const record = await rehearsal.destroy();
    expect(record.failure, said(record)).toBeUndefined();
    for (const { name } of lab.hosts) expect((await lab.exec(name, LEFTOVERS)).stdout, name).toBe("");
  });
});
