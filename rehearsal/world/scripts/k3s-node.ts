import { createHash } from "node:crypto";
import type { Cluster } from "../cluster.ts";
import { DURATIONS } from "../durations.ts";
import { ScriptFailure, type ScriptRun } from "../script-run.ts";

/** What components/k3s/scripts/k3s-node.sh does to a host. */
export async function k3sNode(run: ScriptRun): Promise<void> {
  for (const name of ["NODE_NAME", "ROLE", "VERSION", "CONFIG", "SERVER_CA", "TOKEN", "START_SECONDS"]) {
    run.need(name);
  }
  if (run.action !== "install" && run.action !== "converge") throw new ScriptFailure([`unknown action ${run.action}`]);
  if (run.action === "converge" && roleOf(run) === "server" && !run.host.k3s.datastore) {
    throw new ScriptFailure([
      `${run.need("NODE_NAME")} has no etcd data any more: started like this it would be a cluster of its own`,
      "fix: raise its generation, and it leaves and joins again",
    ]);
  }
  let changed = await installK3s(run);
  changed = (await writeConfiguration(run)) || changed;
  if (run.action === "install") await chooseStart(run);
  await start(run, changed);
}

async function installK3s(run: ScriptRun): Promise<boolean> {
  const { k3s, wrongDownloads } = run.host;
  const version = run.need("VERSION");
  const role = roleOf(run);
  if (k3s.binary === version && k3s.role === role) return false;
  await run.step(DURATIONS.install);
  if (wrongDownloads) {
    const source = run.get("MIRROR") || "https://github.com/k3s-io/k3s/releases";
    const expected = run.get("SHA256_AMD64") || digest("the file that was released");
    throw new ScriptFailure([
      `checksum of k3s ${version} does not match; nothing was installed`,
      `expected sha256:${expected}`,
      `found    sha256:${digest("another file")}`,
      `fix: compare ${source} with the digest in versions.yaml; a mirror may hold another file under that name`,
    ]);
  }
  await run.step(0, {
    text: `k3s ${version} installed`,
    apply: () => {
      k3s.restartPending = true;
      k3s.binary = version;
      k3s.role = role;
    },
  });
  return true;
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
const roleOf = (run: ScriptRun): "server" | "agent" => (run.need("ROLE") === "server" ? "server" : "agent");

/** Everything that k3s reads when it starts: a change of any of it means a restart. */
const FILES = [
  "CONFIG",
  "TOKEN",
  "SERVER_CA",
  "AGENT_TOKEN",
  "REGISTRIES",
  "AUDIT_POLICY",
  "ADMISSION",
  "SYSCTL",
  "FLANNEL_CONF",
];

async function writeConfiguration(run: ScriptRun): Promise<boolean> {
  const { k3s } = run.host;
  const configuration = FILES.map((name) => `${name}=${run.get(name)}`).join("\n");
  if (k3s.configuration === configuration) return false;
  await run.step(0, {
    text: "configuration written",
    apply: () => {
      k3s.restartPending = true;
      k3s.configuration = configuration;
    },
  });
  return true;
}

type Answer = { readonly cluster: Cluster } | "refused" | "no" | "unclear";

/** What a candidate says to our CA and token. */
function ask(run: ScriptRun, address: string): Answer {
  const candidate = run.world.hostAt(run.host.network, address);
  const cluster = candidate?.k3s.cluster;
  // A host that is off stays silent; one that is on and has no server refuses.
  if (candidate?.alive !== true) return "unclear";
  if (cluster === undefined || candidate.k3s.role !== "server") return "no";
  if (!cluster.runs(candidate)) return "no";
  if (!cluster.apiUp() || cluster.ca.trim() !== run.need("SERVER_CA").trim()) return "unclear";
  const token = run.need("TOKEN");
  const taken =
    roleOf(run) === "server"
      ? token === cluster.secrets.token
      : token.split(":").at(-1) === cluster.secrets.agentPassword;
  return taken ? { cluster } : "refused";
}

function findServer(run: ScriptRun): { address: string; cluster: Cluster } | readonly string[] {
  const unclear: string[] = [];
  for (const address of run
    .get("CANDIDATES")
    .split(/\s+/)
    .filter((entry) => entry !== "")) {
    const answer = ask(run, address);
    if (answer === "refused") {
      throw new ScriptFailure([
        `the server at ${address} has this region's CA but refuses its token · fix: the token in the stack's state is not the cluster's; restore the state that made this cluster`,
      ]);
    }
    if (answer === "unclear") unclear.push(address);
    else if (answer !== "no") return { address, cluster: answer.cluster };
  }
  return unclear;
}

/** First start, or join: decided by what is there, as the script does. */
async function chooseStart(run: ScriptRun): Promise<void> {
  const { k3s } = run.host;
  if (roleOf(run) === "server" && k3s.datastore) {
    run.output.push("starts on its own data");
    return;
  }
  const mayInitialise =
    roleOf(run) === "server" && run.need("MAY_INITIALISE") === "yes" && run.need("CLUSTER_EXISTS") === "no";
  const found = findServer(run);
  if ("cluster" in found) {
    await run.step(0, {
      text: `joins ${found.address}`,
      apply: () => {
        k3s.cluster = found.cluster;
      },
    });
    run.output.push(`joins ${found.address}`);
    return;
  }
  if (mayInitialise && found.length > 0) {
    run.spend(Number(run.need("START_SECONDS")));
    throw new ScriptFailure([
      `cannot tell whether a server of this region runs already: ${found.join(" ")} neither answers nor refuses on port 6443`,
      "fix: is that host on, and does a firewall drop TCP 6443 between the servers? then run again",
    ]);
  }
  if (mayInitialise) {
    await run.step(0, {
      text: "first start of the cluster",
      apply: () => {
        const secrets = { token: run.need("TOKEN"), agentPassword: run.need("AGENT_TOKEN") };
        k3s.cluster = run.world.addCluster(run.host.network, run.need("SERVER_CA"), secrets);
        k3s.cluster.bringsNoNetwork = /^flannel-backend: none$/m.test(run.need("CONFIG"));
      },
    });
    run.output.push("first start of the cluster");
    return;
  }
  run.spend(Number(run.need("START_SECONDS")));
  throw new ScriptFailure([
    `no server of this region answers on port 6443 with its CA and token: tried ${run.get("CANDIDATES") || "no address"} for ${run.need("START_SECONDS")} s`,
    ...(roleOf(run) === "server" && run.need("CLUSTER_EXISTS") === "yes"
      ? ["a second cluster is never started beside one that exists"]
      : []),
    "fix: bring one server back, and let this host reach its TCP port 6443; then run again",
  ]);
}

async function start(run: ScriptRun, changed: boolean): Promise<void> {
  const { host } = run;
  const { k3s } = host;
  const version = run.need("VERSION");
  if (!changed && !k3s.restartPending && k3s.running && k3s.runningVersion === version && isUp(run)) {
    run.output.push(`k3s ${version} runs, nothing changed`);
    return;
  }
  const { cluster } = k3s;
  if (cluster === undefined) throw new ScriptFailure(report(run, "no cluster is configured"));
  // A restart: the member is out from here until it is up again.
  await run.step(0, {
    text: "k3s restarts",
    apply: () => {
      k3s.running = false;
    },
  });
  await run.step(startSeconds(run, cluster), {
    text: `k3s ${version} runs`,
    apply: () => {
      enterCluster(run, cluster);
      k3s.running = true;
      k3s.runningVersion = version;
      k3s.restartPending = false;
    },
  });
  if (!isUp(run)) {
    run.spend(Number(run.need("START_SECONDS")));
    throw new ScriptFailure(report(run, "etcd has no leader: more than half of its members are gone"));
  }
  run.output.push(`k3s ${version} runs as ${roleOf(run)}`);
}

const isUp = (run: ScriptRun): boolean => roleOf(run) === "agent" || run.host.k3s.cluster?.apiUp() === true;

function startSeconds(run: ScriptRun, cluster: Cluster): number {
  const node = cluster.nodes.get(run.need("NODE_NAME"));
  if (node?.host === run.host && (roleOf(run) === "agent" || run.host.k3s.datastore)) return DURATIONS.restart;
  if (roleOf(run) === "agent") return DURATIONS.agentJoin;
  return cluster.members.size === 0 ? DURATIONS.firstServer : DURATIONS.serverJoin;
}

/** A host becomes a member and gets its Node: k3s refuses a name whose password another host holds. */
function enterCluster(run: ScriptRun, cluster: Cluster): void {
  const { host } = run;
  const name = run.need("NODE_NAME");
  const role = roleOf(run);
  const holder = cluster.passwords.get(name);
  if (holder !== undefined && holder !== host) {
    throw new ScriptFailure(
      report(
        run,
        `Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not match`,
      ),
    );
  }
  if (role === "server") {
    const before = cluster.members.get(name);
    if (before !== undefined && before !== host) {
      throw new ScriptFailure(report(run, `etcd cluster join failed: duplicate node name found: ${name}`));
    }
    cluster.members.set(name, host);
    host.k3s.datastore = true;
  }
  cluster.passwords.set(name, host);
  host.k3s.nodeName = name;
  if (cluster.nodes.get(name)?.host === host) return;
  cluster.nodes.set(name, {
    name,
    role,
    host,
    labels: new Map(),
    taints: new Set(),
    cordoned: false,
    podsStuck: false,
    rejoined: cluster.removed.has(name),
  });
}

const report = (run: ScriptRun, reason: string): string[] => [
  `${roleOf(run) === "server" ? "k3s" : "k3s-agent"}.service on ${run.need("NODE_NAME")}: activating auto-restart exit-code 3`,
  reason,
  `not up after ${run.need("START_SECONDS")} s · try: journalctl -u ${roleOf(run) === "server" ? "k3s" : "k3s-agent"} -e on the host; then run again`,
];
