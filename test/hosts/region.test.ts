import { stringify } from "yaml";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeSteps, type RunRecord } from "../../rehearsal/engine/steps.ts";
import { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { apiCredentials, pollApi, type ApiCredentials } from "../support/lab/api-poller.ts";
import { describeHosts } from "../support/lab/describe-hosts.ts";
import { k3sUnderTest } from "../support/lab/k3s-under-test.ts";
import { createLab, type Lab } from "../support/lab/lab.ts";
import { labPlan } from "../support/lab/lab-sites.ts";
import { askAround, etcdMembers } from "../support/lab/pods.ts";
import { machineChange, regionSettings } from "../support/lab/region-settings.ts";
import { eventually } from "../support/lab/run.ts";

const { real, version, next, podImage, publish } = k3sUnderTest();

/** What a host that was given back has none of. */
const LEFTOVERS =
  "ls -d /usr/local/bin/* /etc/rancher /var/lib/rancher /var/lib/kubelet /var/lib/cni /etc/cni /etc/hybrid-k3s " +
  "/etc/systemd/system/k3s* /etc/sysctl.d/90-hybrid-k3s.conf /var/tmp/hybrid-k3s-* /run/k3s /run/flannel 2>/dev/null; " +
  "pgrep -af '/k3s (server|agent)|[c]ontainerd' || true; ip -o link show | grep -E 'flannel|cni0' || true";

const SERVERS = ["server-a", "server-b", "server-c"] as const;

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
    readonly status: { readonly addresses: readonly { readonly address: string }[] };
  }[];
}

describeHosts(`a region on real hosts, with ${real ? `k3s ${version}` : "a stand-in for k3s"}`, () => {
  let lab: Lab;
  let rehearsal: Rehearsal;
  let credentials: ApiCredentials | undefined;
  let started = Date.now();

  const said = ({ failure, messages }: RunRecord): string => failure ?? messages.map(({ text }) => text).join("\n");
  const kubectl = async (command: string): Promise<string> =>
    (await lab.exec("server-c", `k3s kubectl ${command}`, { seconds: 120 })).stdout;

  /** Runs an update that must succeed, and a preview after it that must be clean; returns its steps. */
  async function update(): Promise<string[]> {
    started = Date.now();
    const record = await rehearsal.up();
    expect(record.failure, said(record)).toBeUndefined();
    const second = await rehearsal.preview();
    expect(second.failure, said(second)).toBeUndefined();
    expect(describeSteps(second.steps)).toEqual([]);
    return describeSteps(record.steps, true);
  }

  /** Runs an update while every server's API is asked twice a second: one of them must be ready at any time. */
  async function watchedUpdate(untouched: readonly string[]): Promise<string[]> {
    const stop = pollApi(
      SERVERS.map((name) => lab.host(name)),
      credentials,
    );
    const steps = await update();
    const seen = await stop();
    console.log("API:", JSON.stringify(seen));
    expect(seen.rounds).toBeGreaterThan(1);
    expect(seen.longestOutage).toBe(0);
    // On a busy machine a server may be late with one answer or two.
    for (const name of untouched) expect(seen.longestGaps[name], `${name} was away`).toBeLessThan(3);
    return steps;
  }

  beforeAll(async () => {
    lab = await createLab(labPlan(3, 2));
    publish(lab);
    rehearsal = await Rehearsal.open({
      stack: "lab",
      settingsText: stringify({ config: regionSettings(lab, version) }),
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
    const { items } = JSON.parse(await kubectl("get nodes -o json")) as NodeList;
    for (const { metadata, status } of items) {
      const host = lab.host(metadata.name);
      expect(metadata.labels["hybrid-k3s.io/site"]).toBe(host.site);
      expect(metadata.labels["topology.kubernetes.io/region"]).toBe("workstation");
      expect(metadata.labels["example.com/disk"]).toBe(host.site === "home" ? "slow" : undefined);
      expect(status.addresses.map(({ address }) => address)).toContain(host.address);
    }
  });

  it.runIf(podImage !== undefined)("runs a pod on each node, and every pod reaches every pod", async () => {
    const nodes = lab.hosts.map(({ name }) => name);
    const heard = await askAround(lab, nodes, podImage!, "server-c");
    expect(heard).toEqual(Object.fromEntries(nodes.map((node) => [node, nodes])));
  });

  it("keeps secrets out of logs and command lines", async () => {
    const { stdout: words } = await lab.exec("server-a", "cat /etc/rancher/k3s/token /etc/rancher/k3s/agent-token");
    const secret = words.trim().slice(-40);
    expect(secret).toMatch(/^[0-9A-Za-z]{40}$/);
    const logs = "journalctl --no-pager; ps axww -o args; cat /tmp/* /var/tmp/* 2>/dev/null; true";
    expect((await lab.exec("server-a", logs)).stdout).not.toContain(secret);
  });

  it("removes an agent, and nothing of it is left on its host or in the cluster", async () => {
    await rehearsal.edit(machineChange(lab.host("agent-b"), null));
    const steps = await watchedUpdate(SERVERS);
    expect(steps).toEqual(["delete agent-b-host", "delete agent-b-k3s", "delete agent-b-member"]);
    expect((await lab.exec("agent-b", LEFTOVERS)).stdout).toBe("");
    expect(await kubectl("get nodes -o name")).not.toContain("agent-b");
    expect(await kubectl("-n kube-system get secret -o name")).not.toContain("agent-b.node-password.k3s");
  });

  // The last one is the server that started the cluster.
  it.each(["server-b", "server-a"])("replaces %s, and the API answers throughout", async (name) => {
    await rehearsal.edit(machineChange(lab.host(name), { generation: 2 }));
    const steps = await watchedUpdate(SERVERS.filter((server) => server !== name));
    expect(steps).toEqual([`replace ${name}-host`, `replace ${name}-k3s`, `replace ${name}-member`]);
    const nodes = await kubectl("get nodes -l node-role.kubernetes.io/etcd -o name");
    expect(nodes.trim().split("\n").sort()).toEqual(SERVERS.map((server) => `node/${server}`));
    if (real)
      expect(await etcdMembers(lab, "server-c")).toEqual(SERVERS.map((server) => ({ name: server, votes: true })));
  });

  it.runIf(podImage !== undefined)("still runs pods that reach each other", async () => {
    const nodes = ["agent-a", ...SERVERS];
    const heard = await askAround(lab, nodes, podImage!, "server-c");
    expect(heard).toEqual(Object.fromEntries(nodes.map((node) => [node, nodes])));
  });

  it("replaces an agent whose host was reinstalled and has another key", async () => {
    await lab.start("agent-a", { wipe: true, newHostKey: true });
    const { hostKey } = lab.host("agent-a");
    await rehearsal.edit(machineChange(lab.host("agent-a"), { generation: 2, hostKey }));
    const steps = await watchedUpdate(SERVERS);
    expect(steps).toEqual(["replace agent-a-host", "replace agent-a-k3s", "replace agent-a-member"]);
  });

  it.runIf(next !== undefined)("raises the version one server after another", async () => {
    await rehearsal.edit({ "hybrid-k3s:kubernetes": { version: next } });
    const steps = await watchedUpdate([]);
    const names = ["agent-a", ...SERVERS];
    expect(steps).toEqual(names.flatMap((name) => [`update ${name}-k3s`, `update ${name}-member`]));
    if (!real) return;
    const versions = await kubectl("get nodes -o 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'");
    expect(new Set(versions.split(" "))).toEqual(new Set([next]));
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
    started = Date.now();
    const record = await rehearsal.destroy();
    expect(record.failure, said(record)).toBeUndefined();
    for (const { name } of lab.hosts) expect((await lab.exec(name, LEFTOVERS)).stdout, name).toBe("");
  });
});
