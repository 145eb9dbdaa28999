import { glob } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { playScript } from "../../rehearsal/commands/simulated.ts";
import { fingerprint, type Host } from "../../rehearsal/world/host.ts";
import { LOCAL_BEHAVIOURS } from "../../rehearsal/world/local-scripts/behaviours.ts";
import { BEHAVIOURS } from "../../rehearsal/world/scripts/behaviours.ts";
import { World } from "../../rehearsal/world/world.ts";

const secrets = { SERVER_CA: "ca", TOKEN: "K10abc::server:word", AGENT_TOKEN: "agents" };
const addresses: Readonly<Record<string, string>> = { a: "10.0.0.1", b: "10.0.0.2", c: "10.0.0.3", d: "10.0.0.4" };

/** A world of four hosts that nothing was done to. */
function empty(): { world: World; host: (name: string) => Host } {
  const world = new World();
  for (const [name, address] of Object.entries(addresses)) {
    world.addHost({ name, address, endpoint: `${address}:22`, network: "r", hostKey: "ssh-ed25519 AAAA" });
  }
  return { world, host: (name) => world.host(name) };
}

async function play(world: World, on: string, script: string, action: string, parameters: Record<string, string>) {
  const call = { script, action, parameters, limitSeconds: 1200 };
  const played = await playScript(world, world.host(on), call, { resource: on, signal: new AbortController().signal });
  return { code: played.code, text: [...played.lines, ...played.errors].join("\n"), seconds: played.seconds };
}

const others = (name: string): string =>
  Object.keys(addresses)
    .filter((other) => other !== name && other !== "d")
    .map((other) => addresses[other] ?? "")
    .join(" ");

const install = (world: World, name: string, more: Record<string, string> = {}) =>
  play(world, name, "k3s-node", "install", {
    NODE_NAME: name,
    ROLE: "server",
    VERSION: "v1",
    CONFIG: "x",
    START_SECONDS: "300",
    CANDIDATES: others(name),
    CLUSTER_EXISTS: "no",
    MAY_INITIALISE: name === "a" ? "yes" : "no",
    ...secrets,
    ...more,
  });

const leave = (world: World, name: string, through: string) =>
  play(world, through, "k3s-member", "leave", { NODE_NAME: name, ROLE: "server", DRAIN_SECONDS: "300", ...secrets });

async function threeServers() {
  const made = empty();
  for (const name of ["a", "b", "c"]) expect((await install(made.world, name)).code).toBe(0);
  return made;
}

describe("how a cluster starts", () => {
  test("one server starts it, the others join, each in the time that was measured", async () => {
    const { world } = empty();
    expect(await install(world, "a")).toMatchObject({
      code: 0,
      text: "first start of the cluster\nk3s v1 runs as server",
    });
    expect(await install(world, "b")).toMatchObject({
      code: 0,
      text: "joins 10.0.0.1\nk3s v1 runs as server",
      seconds: 22,
    });
    expect(world.clusters).toHaveLength(1);
    expect(world.cluster("r")?.live()).toEqual(["a", "b"]);
  });

  test("a server that may not start one fails where no other answers", async () => {
    const { world } = empty();
    const { code, text } = await install(world, "b");
    expect(code).toBe(1);
    expect(text).toContain(
      "no server of this region answers on port 6443 with its CA and token: tried 10.0.0.1 10.0.0.3 for 300 s",
    );
    expect(world.clusters).toEqual([]);
  });

  test("a second cluster is never started beside one that exists", async () => {
    const { world, host } = await threeServers();
    for (const name of ["b", "c"]) host(name).alive = false;
    host("a").k3s = { datastore: false, running: false };
    const { code, text } = await install(world, "a", { CLUSTER_EXISTS: "yes" });
    expect(code).toBe(1);
    expect(text).toContain("a second cluster is never started beside one that exists");
    expect(world.clusters).toHaveLength(1);
  });

  test("a server with another CA is not joined, and one that refuses the token says so", async () => {
    const { world } = await threeServers();
    expect((await install(world, "d", { CANDIDATES: "10.0.0.1", SERVER_CA: "other" })).text).toContain(
      "no server of this region answers",
    );
    expect((await install(world, "d", { CANDIDATES: "10.0.0.1", TOKEN: "wrong" })).text).toContain("refuses its token");
  });

  test("a server that lost its disk cannot come back under a name that etcd still knows", async () => {
    const { world, host } = await threeServers();
    host("b").k3s = { datastore: false, running: false };
    world.cluster("r")?.passwords.delete("b");
    const other = { ...host("d"), name: "d" };
    expect(other.claim).toBeUndefined();
    const { code, text } = await install(world, "d", { NODE_NAME: "b", CANDIDATES: "10.0.0.1" });
    expect(code).toBe(1);
    expect(text).toContain("etcd cluster join failed: duplicate node name found: b");
  });
});

describe("how a server leaves", () => {
  test("through another: etcd member, Node and password go, and the API answers all the time", async () => {
    const { world } = await threeServers();
    expect(await leave(world, "a", "b")).toMatchObject({ code: 0, text: "a has left the cluster" });
    const cluster = world.cluster("r");
    expect([
      [...(cluster?.members.keys() ?? [])],
      [...(cluster?.nodes.keys() ?? [])],
      [...(cluster?.passwords.keys() ?? [])],
    ]).toEqual([
      ["b", "c"],
      ["b", "c"],
      ["b", "c"],
    ]);
    const answered = world.events.map(({ clusters }) => clusters[0]?.apiUp === true);
    expect(answered.slice(answered.indexOf(true))).not.toContain(false);
  });

  test("a leave that would break etcd is refused", async () => {
    const { world, host } = await threeServers();
    host("c").alive = false;
    const { code, text } = await leave(world, "a", "b");
    expect(code).toBe(1);
    expect(text).toContain("taking a out would break etcd: 1 of the 2 other servers are healthy · allowed 2 or more");
    expect(world.cluster("r")?.members.size).toBe(3);
  });

  test("the dead one may leave, undrained", async () => {
    const { world, host } = await threeServers();
    host("c").alive = false;
    expect(await leave(world, "c", "b")).toMatchObject({
      code: 0,
      text: "c has left the cluster (it was not Ready, so nothing could be drained)",
    });
  });

  test("the only server never leaves", async () => {
    const { world } = empty();
    await install(world, "a");
    expect((await leave(world, "a", "a")).text).toContain("a is the cluster's only server: its data would go with it");
  });

  test("pods that do not move cost the drain's budget, and no more", async () => {
    const { world } = await threeServers();
    const node = world.cluster("r")?.nodes.get("a");
    if (node !== undefined) node.podsStuck = true;
    const { code, text, seconds } = await leave(world, "a", "b");
    expect([code, text]).toEqual([0, "a has left the cluster (pods that did not move within 300 s: 1)"]);
    expect(seconds).toBeGreaterThan(300);
    expect(seconds).toBeLessThan(310);
  });
});

describe("a cluster that brings no pod network", () => {
  const CONFIG = "cluster-cidr: 10.0.0.0/16\nflannel-backend: none\n";
  const marks = { READY_SECONDS: "600", VERSION: "v1", LABELS: "", TAINTS: "", ...secrets };
  const join = (world: World) => play(world, "a", "k3s-member", "join", { NODE_NAME: "a", ROLE: "server", ...marks });
  const cilium = (world: World, on = "a") =>
    play(world, on, "cni-cilium", "apply", { VERSION: "1.20.2", CHART: "kind", WAIT_SECONDS: "600", ...secrets });

  test("has no Ready node until Cilium is installed", async () => {
    const { world } = empty();
    await install(world, "a", { CONFIG });
    expect(await join(world)).toMatchObject({ code: 1, seconds: 600 });
    expect(await cilium(world)).toMatchObject({ code: 0, text: "Cilium 1.20.2 is installed" });
    expect(await join(world)).toMatchObject({ code: 0, text: "a is Ready" });
  });

  test("passes the work on where there is no server, and says why the chart's job does not end", async () => {
    const { world } = empty();
    expect(await cilium(world)).toMatchObject({ code: 69, text: "the API of this server does not answer" });
    await install(world, "a", { CONFIG });
    world.faults.chartsUnreachable = true;
    const { code, text } = await cilium(world);
    expect(code).toBe(1);
    expect(text).toContain("Cilium 1.20.2 was not installed: its job has not succeeded after 600 s");
  });

  test("takes a pool of addresses once Cilium is there, and gives it up again", async () => {
    const { world } = empty();
    await install(world, "a", { CONFIG });
    const pool = (action: string) =>
      play(world, "a", "cilium-pool", action, { OBJECTS: "kind", WAIT_SECONDS: "300", ...secrets });
    expect(await pool("apply")).toMatchObject({ code: 1, seconds: 300 });
    await cilium(world);
    expect(await pool("apply")).toMatchObject({ code: 0, text: "the pool of addresses is there" });
    expect(world.clusters[0]!.addressPool).toBe("kind");
    expect(await pool("remove")).toMatchObject({ code: 0, text: "the pool of addresses is gone" });
    expect(world.clusters[0]!.addressPool).toBeUndefined();
  });
});

test("another file of flannel's is another configuration, for which k3s restarts", async () => {
  const { world } = empty();
  await install(world, "a", { FLANNEL_CONF: "1" });
  const again = async (FLANNEL_CONF: string) => {
    const before = world.events.length;
    await install(world, "a", { FLANNEL_CONF });
    return world.events
      .slice(before)
      .filter(({ kind }) => kind === "change")
      .map(({ text }) => text);
  };
  expect(await again("1")).toEqual([]);
  expect(await again("2")).toEqual(["configuration written", "k3s restarts", "k3s v1 runs"]);
});

test("two scripts on one host wait for each other", async () => {
  const { world } = empty();
  const claim = { NODE_NAME: "a", REGION: "r" };
  await Promise.all([
    play(world, "a", "existing-host", "claim", claim),
    play(world, "a", "existing-host", "verify", claim),
  ]);
  expect(world.events.filter(({ kind }) => kind !== "change").map(({ kind, action }) => `${kind} ${action}`)).toEqual([
    "begin claim",
    "end claim",
    "begin verify",
    "end verify",
  ]);
});

test("a script that takes longer than its limit is ended", async () => {
  const { world, host } = empty();
  host("a").slowness = 1000;
  const { code, text } = await install(world, "a");
  expect(code).toBe(124);
  expect(text).toBe("the script was ended after its 1200 s; look at: journalctl -u k3s -u k3s-agent -n 50");
});

test("fingerprints are OpenSSH's", () => {
  // ssh-keygen -lf prints this for the key.
  expect(fingerprint("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPhKF5ML6EkxrGhjyV2O1D+HEtNPY1b2BpMpMNwsBFYX comment")).toBe(
    "SHA256:VVLnVsdz2AuzOvohhRW1JApxJXWtHfJipL/6Ecaydos",
  );
});

test("every script of the project has a behaviour, and every behaviour a script", async () => {
  const files: string[] = [];
  for await (const file of glob("components/*/scripts/*.sh", { cwd: join(import.meta.dirname, "../..") }))
    files.push(file);
  // What the others run in, or are put together from: the prelude of all of them, the way to a host, the mesh's clients.
  const parts = ["prelude", "over-ssh", "mesh-client", "mesh-host", "netbird-client", "tailscale-client"];
  const names = files.map((file) => basename(file, ".sh"));
  const scripts = names.filter((name) => !parts.includes(name));
  expect(scripts.sort()).toEqual(Object.keys({ ...BEHAVIOURS, ...LOCAL_BEHAVIOURS }).sort());
});
