import { afterAll, beforeAll, expect, test } from "vitest";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { applyEdit, fine, machine, openSample, sampleSettings, SERVERS, stepsOf } from "./sample.ts";

const settings = (version = "1.20.2", more: { servers?: Record<string, object>; cilium?: object } = {}) =>
  sampleSettings({
    ...(more.servers === undefined ? {} : { servers: more.servers }),
    agents: { "a-1": machine("a-1", 21) },
    kubernetes: { cni: "cilium", cilium: { version, ...more.cilium } },
    accept: { "mesh-cni-unproved": "a rehearsal" },
  });

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await openSample(settings());
});
afterAll(async () => {
  await rehearsal.close();
});

const cluster = () => rehearsal.world.cluster("tokyo")!;
const cni = (scripts: readonly string[]): string[] => scripts.filter((line) => line.startsWith("cni-"));

test("an update whose chart cannot be fetched fails before anything waits for Ready, and the next one heals it", async () => {
  rehearsal.world.faults.chartsUnreachable = true;
  const { failure } = await rehearsal.up();
  expect(failure).toContain("Cilium 1.20.2 was not installed: its job has not succeeded after 600 s");
  const began = rehearsal.world.events
    .filter(({ kind }) => kind === "begin")
    .map(({ script, node }) => `${script} ${node}`);
  expect(began).toContain("k3s-node s-1");
  expect(began.filter((line) => line.startsWith("k3s-member") || line === "k3s-node s-2")).toEqual([]);
  rehearsal.world.faults.chartsUnreachable = false;
  await fine(rehearsal.up());
  expect(cluster().cilium).toBe("1.20.2");
  expect([...cluster().nodes.keys()].filter((name) => !cluster().ready(name))).toEqual([]);
  expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  expect(await rehearsal.deployed()).toMatchObject({ cni: "cilium", mesh: "none", versions: { cilium: "1.20.2" } });
});

test("another version is one step, and touches no node", async () => {
  const { steps, scripts, second } = await applyEdit(rehearsal, settings("1.20.3"));
  expect(steps).toEqual(["update tokyo-cni"]);
  expect(cni(scripts)).toEqual(["cni-cilium apply"]);
  expect(cluster().cilium).toBe("1.20.3");
  expect(second).toEqual([]);
});

test("the first server is replaced, and removed, without a word to Cilium", async () => {
  const { "s-1": first, ...others } = SERVERS;
  const replaced = await applyEdit(
    rehearsal,
    settings("1.20.3", { servers: { ...others, "s-1": { ...first, generation: 2 } } }),
  );
  expect(cni(replaced.scripts)).toEqual([]);
  const removed = await applyEdit(rehearsal, settings("1.20.3", { servers: { ...others, "s-4": machine("s-4", 14) } }));
  expect(cni(removed.scripts)).toEqual([]);
  expect([...cluster().nodes.keys()].filter((name) => !cluster().ready(name))).toEqual([]);
  expect(cluster().cilium).toBe("1.20.3");
});

test("a pool of addresses comes with the settings, and goes with them", async () => {
  const servers = { "s-2": SERVERS["s-2"], "s-3": SERVERS["s-3"], "s-4": machine("s-4", 14) };
  const pool = { loadBalancerPool: ["172.26.1.0-172.26.1.20"] };
  const came = await applyEdit(rehearsal, settings("1.20.3", { servers, cilium: pool }));
  expect(came.steps).toContain("create tokyo-addresses");
  expect(cluster().addressPool).toContain("start: 172.26.1.0");
  const went = await applyEdit(rehearsal, settings("1.20.3", { servers }));
  expect(went.steps).toContain("delete tokyo-addresses");
  expect(cluster().addressPool).toBeUndefined();
});
