import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { describeHosts } from "../support/lab/describe-hosts.ts";
import { makeKeyPair } from "../support/lab/host-files.ts";
import { createLab, type Lab } from "../support/lab/lab.ts";
import { labPlan } from "../support/lab/lab-sites.ts";
import { LEFTOVERS } from "../support/lab/leftovers.ts";
import { MIRROR_URL, standInRelease } from "../support/lab/mirror.ts";
import { LabRegion, succeeded } from "../support/lab/region.ts";
import { eventually, pause } from "../support/lab/run.ts";
import { startOnHost } from "../support/lab/scripts.ts";

const VERSION = "v1.36.3+k3s1";
const NEXT = "v1.36.4+k3s1";

/** What membership gives every node of the region, and two shapes that a machine may have. */
const IN_REGION = { LABELS: "topology.kubernetes.io/region=lab" };
const SMALL = "2 CPUs, 4 GiB";
const LARGE = "3 CPUs, 8 GiB";

const fingerprintWords = /SHA256:[A-Za-z0-9+/]{43}/g;

describeHosts("the scripts over real SSH, with a stand-in for k3s", () => {
  let lab: Lab;
  let region: LabRegion;

  const shared = (...path: string[]): string => join(lab.shared, ...path);
  const calls = (): string[] => readFileSync(shared("calls.log"), "utf8").split("\n").filter(Boolean);
  const clusters = (): string[] => readdirSync(shared("clusters"));
  const inCluster = (...path: string[]): string => shared("clusters", clusters()[0]!, ...path);
  const marksOf = (node: string, name: string): string[] =>
    readFileSync(inCluster("nodes", node, name), "utf8")
      .split("\n")
      .filter(Boolean)
      .sort();
  const isCordoned = (node: string): boolean => existsSync(inCluster("nodes", node, "cordoned"));
  const drains = (): number => calls().filter((line) => line.includes(" k3s kubectl drain ")).length;
  const fault = (host: string, line: string): void => {
    mkdirSync(shared("faults"), { recursive: true });
    appendFileSync(shared("faults", host), `${line}\n`);
  };

  beforeAll(async () => {
    lab = await createLab(labPlan(3, 2));
    const digests = lab.publish(standInRelease(join(lab.folder, "releases"), VERSION));
    lab.publish(standInRelease(join(lab.folder, "releases"), NEXT));
    region = new LabRegion(lab, { version: VERSION, mirror: MIRROR_URL, digests, seconds: 30 });
  });
  afterEach(() => {
    rmSync(shared("faults"), { recursive: true, force: true });
  });
  afterAll(() => {
    const unanswered = existsSync(shared("unanswered.log")) ? readFileSync(shared("unanswered.log"), "utf8") : "";
    lab.close();
    expect(unanswered).toBe("");
  });

  it("names the phase and the budget when a host does not answer, and releases it all the same", async () => {
    lab.kill("agent-b");
    const started = Date.now();
    const refused = await region.host("agent-b", "claim", { connectSeconds: 4 });
    expect(Date.now() - started).toBeLessThan(20_000);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("TCP: agent-b (10.213.2.12 port 22) did not answer within 4 s");
    expect(refused.stderr).toContain("nothing was changed by existing-host claim");
    const left = await region.host("agent-b", "release", { connectSeconds: 4, unreachable: "leave" });
    expect(left.code).toBe(0);
    expect(left.stderr).toContain("left as it is: TCP: agent-b");
    await lab.start("agent-b");
  });

  it("refuses a host whose key is not the pinned one at once, with both fingerprints", async () => {
    const started = Date.now();
    const other = lab.host("agent-a").hostKey;
    const refused = await region.host("server-a", "claim", { hostKey: other, connectSeconds: 60 });
    expect(Date.now() - started).toBeLessThan(15_000);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("SSH: the host key of server-a (10.213.1.11 port 22) is not the pinned one");
    const [expected, found] = refused.stderr.match(fingerprintWords) ?? [];
    const words = await lab.exec("server-a", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
    expect(words.stdout).toContain(found);
    expect(expected).not.toBe(found);
    expect((await lab.exec("server-a", LEFTOVERS)).stdout).toBe("");
  });

  it("says that a login is refused, and not more", async () => {
    const { privateKey } = makeKeyPair(lab.folder, "stranger");
    const refused = await region.host("server-a", "claim", { privateKey, connectSeconds: 60 });
    expect(refused.stderr).toContain("SSH: server-a (10.213.1.11 port 22) refused the login as root");
    const nobody = await region.host("server-a", "claim", { user: "nobody", connectSeconds: 60 });
    expect(nobody.stderr).toContain("refused the login as nobody");
    const unreadable = await region.host("server-a", "claim", { privateKey: "not a key" });
    expect(unreadable.stderr).toContain("hybrid-k3s:sshPrivateKey is not a private key without a passphrase");
  });

  it("reaches a host through a jump host, as a user who becomes root by sudo", async () => {
    const claimed = await region.host("agent-a", "claim", { jump: "server-a", user: "ops" });
    expect(succeeded(claimed).stdout).toBe("claimed for region=lab machine=agent-a\n");
    expect((await lab.exec("agent-a", "stat -c %U /etc/hybrid-k3s/machine")).stdout).toBe("root\n");
    succeeded(await region.host("agent-a", "release", { jump: "server-a", user: "ops" }));
  });

  it("takes no host that another region or another person uses", async () => {
    await lab.exec("agent-a", "install -D /dev/stdin /etc/hybrid-k3s/machine", {
      input: "region=other machine=x owner=them generation=1",
    });
    const taken = await region.host("agent-a", "claim");
    expect(taken.stderr).toContain("found region=other machine=x of another stack · allowed no claim, or this stack's");
    expect(succeeded(await region.host("agent-a", "release")).stdout).toContain(
      "nothing of this stack is on this host",
    );
    await lab.exec("agent-a", "rm -r /etc/hybrid-k3s; mkdir -p /var/lib/rancher/k3s");
    expect((await region.host("agent-a", "claim")).stderr).toContain(
      "this host has a k3s that hybrid-k3s did not inst",
    );
    await lab.exec("agent-a", "rm -r /var/lib/rancher");
    expect((await region.host("agent-a", "verify")).stderr).toContain("it carries no claim");
  });

  it("installs nothing when a checksum does not match", async () => {
    const wrong = "0".repeat(64);
    const binary = await region.node("server-a", "install", { SHA256_AMD64: wrong });
    expect(binary.code).toBe(1);
    expect(binary.stderr).toContain(`checksum of k3s ${VERSION} does not match; nothing was installed`);
    expect(binary.stderr).toContain(`expected sha256:${wrong}`);
    expect(binary.stderr).toContain(`found    sha256:${region.plan.digests!.binary}`);
    const installer = await region.node("server-a", "install", { SHA256_INSTALLER: wrong });
    expect(installer.stderr).toContain("checksum of the installer");
    writeFileSync(join(lab.mirror, VERSION, "sha256sum-amd64.txt"), `${wrong}  k3s\n`);
    const unpinned = await region.node("server-a", "install", { SHA256_AMD64: "" });
    expect(unpinned.stderr).toContain(`expected sha256:${wrong}`);
    writeFileSync(join(lab.mirror, VERSION, "sha256sum-amd64.txt"), `${wrong}  k3s\n${wrong}  k3s\n`);
    const twice = await region.node("server-a", "install", { SHA256_AMD64: "" });
    expect(twice.stderr).toContain("has not exactly one line for k3s");
    const absent = await region.node("server-a", "install", { VERSION: "v1.0.0+k3s1" });
    expect(absent.stderr).toContain("could not fetch file:///opt/mirror/v1.0.0+k3s1/k3s");
    expect((await lab.exec("server-a", LEFTOVERS)).stdout).toBe("");
    writeFileSync(join(lab.mirror, VERSION, "sha256sum-amd64.txt"), `${region.plan.digests!.binary}  k3s\n`);
  });

  it("starts no cluster from a server that may not, and joins none that is not there", async () => {
    for (const name of ["server-a", "server-b", "agent-a"]) succeeded(await region.host(name, "claim"));
    const server = await region.node("server-b", "install", { START_SECONDS: "2" });
    expect(server.stderr).toContain("no server of this region answers on port 6443 with its CA and token");
    const first = await region.node("server-a", "install", { START_SECONDS: "2", CLUSTER_EXISTS: "yes" });
    expect(first.stderr).toContain("a second cluster is never started beside one that exists");
    const agent = await region.node("agent-a", "install", { START_SECONDS: "2" });
    expect(agent.stderr).toContain("tried 10.213.1.11 10.213.1.12 10.213.1.13 for 2 s");
  });

  it("brings three servers and two agents up from nothing", async () => {
    for (const { name } of lab.hosts) await region.bringUp(name);
    expect(clusters()).toHaveLength(1);
    expect(readdirSync(inCluster("members")).sort()).toEqual(["server-a", "server-b", "server-c"]);
    const { stdout } = await lab.exec("server-b", "k3s kubectl get nodes");
    expect(stdout.split("\n").filter((line) => line.includes(" True "))).toHaveLength(5);
    const modes = "stat -c '%a %n' /etc/rancher/k3s/token /etc/rancher/k3s/config.yaml /etc/rancher/k3s/agent-token";
    expect((await lab.exec("server-a", modes)).stdout.match(/^600 /gm)).toHaveLength(3);
    const passwords = Object.entries(region.secretsOf("server-a")).filter(([name]) => name.endsWith("TOKEN"));
    const journal = await lab.exec("server-a", "journalctl --no-pager; cat /var/lib/hybrid-k3s-stand-in/calls.log");
    for (const [, value] of passwords) expect(journal.stdout).not.toContain(value.split(":").at(-1));
  });

  it("changes nothing the second time", async () => {
    const before = calls().filter((line) => /k3s (server|agent)$/.test(line)).length;
    for (const { name } of lab.hosts) {
      expect(succeeded(await region.host(name, "verify")).stdout).toContain("still region=lab");
      expect(succeeded(await region.node(name, "converge")).stdout).toBe(`k3s ${VERSION} runs, nothing changed\n`);
      expect(succeeded(await region.node(name, "install")).stdout).toContain("nothing changed");
      succeeded(await region.member(name, "converge"));
    }
    expect(calls().filter((line) => /k3s (server|agent)$/.test(line))).toHaveLength(before);
  });

  it("keeps its labels and taints, and leaves those of others alone", async () => {
    await lab.exec(
      "server-a",
      "k3s kubectl label node agent-a theirs=kept; k3s kubectl taint node agent-a theirs:NoExecute",
    );
    const marks = (name: string): string[] => marksOf("agent-a", name);
    const first = { LABELS: "a.example/b=c\nx=it's", TAINTS: "k=v:NoSchedule\nbare:NoExecute" };
    succeeded(await region.member("agent-a", "converge", first));
    expect(marks("labels")).toEqual(["a.example/b=c", "theirs=kept", "x=it's"]);
    expect(marks("taints")).toEqual(["bare:NoExecute", "k=v:NoSchedule", "theirs:NoExecute"]);
    succeeded(await region.member("agent-a", "converge", { LABELS: "x=2", TAINTS: "" }));
    expect(marks("labels")).toEqual(["theirs=kept", "x=2"]);
    expect(marks("taints")).toEqual(["theirs:NoExecute"]);
  });

  it("takes the work off a node before its machine changes, and gives it back once that is done", async () => {
    succeeded(await region.member("agent-a", "converge", { ...IN_REGION, SHAPE: SMALL }));
    expect(succeeded(await region.pause("agent-a", SMALL)).stdout).toBe(`agent-a has ${SMALL} already\n`);
    expect(drains()).toBe(0);
    expect(isCordoned("agent-a")).toBe(false);
    expect(succeeded(await region.pause("agent-a", LARGE)).stdout).toBe("agent-a is drained\n");
    expect(drains()).toBe(1);
    expect(isCordoned("agent-a")).toBe(true);
    const paused = marksOf("agent-a", "annotations");
    expect(paused).toContain("hybrid-k3s.io/paused=yes");
    expect(paused).toContain(`hybrid-k3s.io/shape=${SMALL}`);
    lab.kill("agent-a");
    succeeded(await region.pause("agent-a", LARGE));
    expect(marksOf("agent-a", "annotations")).toEqual(paused);
    await lab.start("agent-a");
    succeeded(await region.member("agent-a", "converge", { ...IN_REGION, SHAPE: LARGE }));
    expect(isCordoned("agent-a")).toBe(false);
    const resumed = marksOf("agent-a", "annotations").filter((mark) => !mark.startsWith("hybrid-k3s.io/managed="));
    expect(resumed).toEqual([`hybrid-k3s.io/shape=${LARGE}`]);
    expect(succeeded(await region.pause("agent-a", LARGE)).stdout).toBe(`agent-a has ${LARGE} already\n`);
  });

  it("leaves a node cordoned that somebody cordoned before", async () => {
    await lab.exec("server-a", "k3s kubectl cordon agent-a");
    succeeded(await region.pause("agent-a", SMALL));
    expect(marksOf("agent-a", "annotations")).not.toContain("hybrid-k3s.io/paused=yes");
    succeeded(await region.member("agent-a", "converge", { ...IN_REGION, SHAPE: SMALL }));
    expect(isCordoned("agent-a")).toBe(true);
    expect(marksOf("agent-a", "annotations")).toContain(`hybrid-k3s.io/shape=${SMALL}`);
    await lab.exec("server-a", "k3s kubectl uncordon agent-a");
  });

  it("pauses a node whose pods do not move, says how many, and gives it back all the same", async () => {
    fault("server-a", "kubectl?drain* fail pod/web");
    const paused = await region.pause("agent-a", LARGE);
    expect(succeeded(paused).stdout).toBe("agent-a is drained (pods that did not move within 30 s: 1)\n");
    expect(isCordoned("agent-a")).toBe(true);
    succeeded(await region.member("agent-a", "converge", { ...IN_REGION, SHAPE: LARGE }));
    expect(isCordoned("agent-a")).toBe(false);
  });

  it("pauses a server through another one whose API answers, and no node of another region", async () => {
    succeeded(await region.member("server-b", "converge", { ...IN_REGION, SHAPE: SMALL }));
    fault("server-a", "kubectl*/readyz fail");
    const before = calls().length;
    expect(succeeded(await region.pause("server-b", LARGE)).stdout).toBe("server-b is drained\n");
    const drained = calls()
      .slice(before)
      .filter((line) => line.includes("kubectl drain server-b"));
    expect(drained.map((line) => line.split(" ")[0])).toEqual(["server-c"]);
    succeeded(await region.member("server-b", "converge", { ...IN_REGION, SHAPE: LARGE }));
    expect(isCordoned("server-b")).toBe(false);
    const stranger = await region.pause("server-b", SMALL, { REGION: "other" }, { connectSeconds: 2 });
    expect(stranger.code).toBe(1);
    expect(stranger.stderr).toContain(
      "API: server-a (10.213.1.11 port 22) is reached, but the API of this server does not answer",
    );
    expect(stranger.stderr).toContain(
      "server-c (10.213.1.13 port 22) is reached, but this host is no server of region",
    );
    expect(isCordoned("server-b")).toBe(false);
    const unknown = await region.pause("agent-x", SMALL);
    expect(succeeded(unknown).stdout).toBe("agent-x is not in the cluster: nothing to take off it\n");
  });

  it("restarts k3s when its configuration or its version changes, and only then", async () => {
    const { CONFIG = "" } = region.nodeRun("agent-a", "converge").parameters;
    const changed = await region.node("agent-a", "converge", { CONFIG: `${CONFIG}debug: true\n` });
    expect(succeeded(changed).stdout).toBe(`k3s ${VERSION} runs as agent\n`);
    const raised = await region.node("agent-a", "converge", { VERSION: NEXT, SHA256_AMD64: "" });
    expect(succeeded(raised).stdout).toBe(`k3s ${NEXT} runs as agent\n`);
    expect((await lab.exec("agent-a", "k3s --version")).stdout).toContain(NEXT);
    succeeded(await region.node("agent-a", "converge"));
  });

  it("restarts k3s when flannel's file changes, and takes the file away again", async () => {
    const file = "/etc/rancher/k3s/flannel.json";
    const conf = { FLANNEL_CONF: '{"Backend":{"Type":"vxlan","MTU":1280}}\n' };
    expect(succeeded(await region.node("agent-a", "converge", conf)).stdout).toContain("runs as agent");
    expect((await lab.exec("agent-a", `stat -c %a ${file}; cat ${file}`)).stdout).toBe(`600\n${conf.FLANNEL_CONF}`);
    expect(succeeded(await region.node("agent-a", "converge", conf)).stdout).toContain("nothing changed");
    expect(succeeded(await region.node("agent-a", "converge")).stdout).toContain("runs as agent");
    expect((await lab.exec("agent-a", `ls ${file}`, { mayFail: true })).code).not.toBe(0);
  });

  it("holds a second run off while a first one works", async () => {
    fault("agent-b", "agent late 4");
    const { CONFIG = "" } = region.nodeRun("agent-b", "converge").parameters;
    const changes = { CONFIG: `${CONFIG}debug: true\n` };
    const first = region.node("agent-b", "converge", changes);
    await pause(1500);
    const second = await region.node("agent-b", "converge", changes, { timeoutSeconds: 60, lockSeconds: 1 });
    expect(second.code).toBe(75);
    expect(second.stderr).toContain("another run holds /var/lock/hybrid-k3s.lock on this host for over 1 s");
    expect(succeeded(await first).stdout).toContain("runs as agent");
    succeeded(await region.node("agent-b", "converge", changes));
  });

  it("ends a script that hangs, and leaves no process of it", async () => {
    fault("agent-b", "--version hang");
    const started = Date.now();
    const hung = await region.node("agent-b", "converge", {}, { timeoutSeconds: 2, lockSeconds: 5 });
    expect(Date.now() - started).toBeLessThan(20_000);
    expect(hung.code).toBe(124);
    expect(hung.stderr).toContain("the script was ended after its 2 s");
    expect((await lab.exec("agent-b", "pgrep -fx 'sleep infinity'; pgrep -fx 'bash -s' || true")).stdout).toBe("");
    rmSync(shared("faults"), { recursive: true });
    succeeded(await region.node("agent-b", "converge"));
  });

  it("is healed by another run after its connection was cut in the middle", async () => {
    await region.takeDown("agent-b");
    succeeded(await region.host("agent-b", "claim"));
    fault("agent-b", "agent late 3");
    const session = await startOnHost(lab, "agent-b", region.nodeRun("agent-b", "install"));
    await eventually("the installation to have begun", { seconds: 20 }, async () =>
      (await lab.exec("agent-b", "test -f /etc/rancher/k3s/config.yaml", { mayFail: true })).code === 0
        ? true
        : undefined,
    );
    session.cut();
    expect((await session.finished).code).toBe(255);
    expect(succeeded(await region.node("agent-b", "install")).stdout).toMatch(/runs as agent|nothing changed/);
    succeeded(await region.member("agent-b", "join"));
  });

  it("refuses to join another cluster's server", async () => {
    await region.takeDown("agent-b");
    succeeded(await region.host("agent-b", "claim"));
    const stranger = new LabRegion(lab, region.plan).secretsOf("agent-b");
    const install = region.nodeRun("agent-b", "install", { START_SECONDS: "2" });
    const foreign = await (await startOnHost(lab, "agent-b", { ...install, secrets: stranger })).finished;
    expect(foreign.stderr).toContain("no server of this region answers");
    const wrongToken = { ...region.secretsOf("agent-b"), TOKEN: stranger["TOKEN"]! };
    const denied = await (await startOnHost(lab, "agent-b", { ...install, secrets: wrongToken })).finished;
    expect(denied.stderr).toContain("the server at 10.213.1.11 has this region's CA but refuses its token");
    succeeded(await region.node("agent-b", "install"));
    succeeded(await region.member("agent-b", "join"));
  });

  it("gives an agent's host back clean", async () => {
    await region.takeDown("agent-a");
    expect((await lab.exec("agent-a", LEFTOVERS)).stdout).toBe("");
    expect((await lab.exec("server-a", "k3s kubectl get nodes")).stdout).not.toContain("agent-a");
    expect(readdirSync(inCluster("secrets"))).not.toContain("agent-a.node-password.k3s");
  });

  it("replaces a server whose host comes back empty", async () => {
    succeeded(await region.member("server-b", "leave"));
    await lab.start("server-b", { wipe: true });
    succeeded(await region.host("server-b", "release"));
    await region.bringUp("server-b");
    expect(readdirSync(inCluster("members")).sort()).toEqual(["server-a", "server-b", "server-c"]);
    expect(clusters()).toHaveLength(1);
  });

  it("replaces the first server by joining it to the others", async () => {
    succeeded(await region.member("server-a", "leave"));
    succeeded(await region.host("server-a", "release"));
    succeeded(await region.host("server-a", "claim"));
    const joined = await region.node("server-a", "install", { CLUSTER_EXISTS: "yes" });
    expect(succeeded(joined).stdout).toContain("joins 10.213.1.12");
    succeeded(await region.member("server-a", "join"));
    expect(readdirSync(inCluster("members")).sort()).toEqual(["server-a", "server-b", "server-c"]);
  });

  it("refuses to take a server out when that would break etcd", async () => {
    lab.kill("server-c");
    const refused = await region.member("server-b", "leave", {}, { targets: ["server-a"] });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      "taking server-b out would break etcd: 1 of the 2 other servers are healthy · allowed 2 or more",
    );
    expect(readdirSync(inCluster("members")).sort()).toEqual(["server-a", "server-b", "server-c"]);
  });

  it("does not pause a server while another one is down, for that would break etcd", async () => {
    succeeded(await region.member("server-b", "converge", { ...IN_REGION, SHAPE: SMALL }));
    const refused = await region.pause("server-b", LARGE, {}, { targets: ["server-a"] });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("restarting server-b would break etcd: server-c is not well");
    expect(isCordoned("server-b")).toBe(false);
    expect(marksOf("server-b", "annotations")).not.toContain("hybrid-k3s.io/paused=yes");
  });

  it("takes a dead server out, through the first server that answers", async () => {
    const targets = ["server-c", "server-a"];
    const left = await region.member("server-c", "leave", {}, { targets, connectSeconds: 10 });
    expect(succeeded(left).stdout).toContain("server-c has left the cluster (it was not Ready, so nothing could be");
    expect(readdirSync(inCluster("members")).sort()).toEqual(["server-a", "server-b"]);
  });

  it("never takes the last server out", async () => {
    succeeded(await region.member("server-b", "leave", {}, { targets: ["server-a"] }));
    const last = await region.member("server-a", "leave", {}, { targets: ["server-a"] });
    expect(last.stderr).toContain("server-a is the cluster's only server: its data would go with it");
  });

  it("says which servers were tried when no API answers", async () => {
    await lab.exec("server-a", "systemctl stop k3s");
    const targets = ["server-c", "server-a"];
    const refused = await region.member("agent-b", "converge", {}, { targets, connectSeconds: 5 });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("TCP: server-c");
    expect(refused.stderr).toContain(
      "API: server-a (10.213.1.11 port 22) is reached, but the API of this server does not answer",
    );
  });
});
