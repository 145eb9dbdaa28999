import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { AGENTS, applyEdit, fine, machine, openSample, sampleSettings, SERVERS, stepsOf } from "./sample.ts";

// One cluster lives through all edits, in the order of this file: each test starts where the one before it ended.
describe("the edits that people make, one after another on one cluster", () => {
  let rehearsal: Rehearsal;
  let agents: Record<string, object> = AGENTS;
  let servers: Record<string, object> = SERVERS;
  let kubernetes: object = {};

  beforeAll(async () => {
    rehearsal = await openSample();
    await fine(rehearsal.up());
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  });
  afterAll(async () => {
    await rehearsal.close();
  });

  test("an added agent is created, and nothing else is touched", async () => {
    agents = { ...agents, "a-0": machine("a-0", 20) };
    const edit = await applyEdit(rehearsal, sampleSettings({ servers, agents, kubernetes }));
    expect(edit.steps).toEqual(["create a-0-host", "create a-0-k3s", "create a-0-member"]);
    expect(edit.upSteps).toEqual(edit.steps);
    expect(edit.scripts).toEqual(["existing-host claim a-0", "k3s-node install a-0", "k3s-member join a-0"]);
    expect(edit.second).toEqual([]);
    expect(rehearsal.world.cluster("tokyo")?.ready("a-0")).toBe(true);
  });

  test("a removed agent leaves, is released, and nothing else is touched", async () => {
    const { "a-1": removed, ...rest } = agents;
    expect(removed).toBeDefined();
    agents = rest;
    const edit = await applyEdit(rehearsal, sampleSettings({ servers, agents, kubernetes }));
    expect(edit.steps).toEqual(["delete a-1-host", "delete a-1-k3s", "delete a-1-member"]);
    expect(edit.scripts).toEqual(["k3s-member leave a-1", "existing-host release a-1"]);
    expect(edit.second).toEqual([]);
    const cluster = rehearsal.world.cluster("tokyo");
    expect([...(cluster?.nodes.keys() ?? [])].sort()).toEqual(["a-0", "a-2", "s-1", "s-2", "s-3"]);
    expect([...(cluster?.passwords.keys() ?? [])]).not.toContain("a-1");
    expect(rehearsal.world.host("a-1")).toMatchObject({ claim: undefined, k3s: { running: false, datastore: false } });
  });

  test("a changed label updates the membership of one node", async () => {
    agents = { ...agents, "a-2": machine("a-2", 22, { labels: { "example.com/disk": "nvme" } }) };
    const edit = await applyEdit(rehearsal, sampleSettings({ servers, agents, kubernetes }));
    expect(edit.steps).toEqual(["update a-2-member"]);
    expect(edit.scripts).toEqual(["k3s-member converge a-2"]);
    expect(edit.events.filter(({ kind }) => kind === "change").map(({ text }) => text)).toEqual([
      "label example.com/disk=nvme",
    ]);
    expect(edit.second).toEqual([]);
  });

  test("another API endpoint changes the certificate's names and the kubeconfig, and replaces nothing", async () => {
    kubernetes = { endpoint: "api.tokyo.example.com" };
    const edit = await applyEdit(rehearsal, sampleSettings({ servers, agents, kubernetes }));
    // A membership follows its node's configuration: the next server is not touched before this one is Ready again.
    expect(edit.steps).toEqual([
      ...["s-1", "s-2", "s-3"].flatMap((name) => [`update ${name}-k3s`, `update ${name}-member`]),
      "update tokyo-kubernetes",
    ]);
    expect(edit.second).toEqual([]);
  });

  test("a newer patch release updates the servers one by one, then the agents, and the API answers all the time", async () => {
    kubernetes = { ...kubernetes, version: "v1.36.4+k3s1" };
    const edit = await applyEdit(rehearsal, sampleSettings({ servers, agents, kubernetes }));
    expect(edit.steps).toEqual(
      ["a-0", "a-2", "s-1", "s-2", "s-3"].flatMap((name) => [`update ${name}-k3s`, `update ${name}-member`]),
    );
    expect(edit.finished.slice(0, 6)).toEqual(
      ["s-1", "s-2", "s-3"].flatMap((name) => [`update ${name}-k3s`, `update ${name}-member`]),
    );
    expect(
      edit.events.every(({ clusters }) => clusters.every(({ apiUp, members, live }) => apiUp && live >= members - 1)),
    ).toBe(true);
    expect(rehearsal.world.host("a-2").k3s.runningVersion).toBe("v1.36.4+k3s1");
    expect(edit.second).toEqual([]);
  });

  test("a raised generation takes one server through leave, release, claim, install and join", async () => {
    servers = { ...servers, "s-2": machine("s-2", 12, { generation: 2 }) };
    const edit = await applyEdit(rehearsal, sampleSettings({ servers, agents, kubernetes }));
    expect(edit.steps).toEqual(["replace s-2-host", "replace s-2-k3s", "replace s-2-member"]);
    expect(edit.scripts).toEqual([
      "k3s-member leave s-2",
      "existing-host release s-2",
      "existing-host claim s-2",
      "k3s-node install s-2",
      "k3s-member join s-2",
    ]);
    expect(edit.events.every(({ clusters }) => clusters.every(({ apiUp }) => apiUp))).toBe(true);
    expect(edit.second).toEqual([]);
  });

  test("the first server leaves like any other: nothing is replaced, and the others keep the cluster", async () => {
    const { "s-1": first, ...rest } = servers;
    expect(first).toBeDefined();
    servers = rest;
    const accept = { "even-servers": "two until the third is delivered" };
    const edit = await applyEdit(rehearsal, sampleSettings({ servers, agents, kubernetes, accept }));
    expect(edit.steps).toEqual(["delete s-1-host", "delete s-1-k3s", "delete s-1-member"]);
    expect(edit.scripts).toEqual(["k3s-member leave s-1", "existing-host release s-1"]);
    expect(edit.second).toEqual([]);
    expect([...(rehearsal.world.cluster("tokyo")?.members.keys() ?? [])].sort()).toEqual(["s-2", "s-3"]);
    expect(rehearsal.world.clusters).toHaveLength(1);
  });
});
