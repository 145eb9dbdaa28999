import { afterEach, expect, test } from "vitest";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { AGENTS, applyEdit, fine, machine, openSample, sampleSettings, SERVERS, stepsOf } from "./sample.ts";

const open: Rehearsal[] = [];
const opened = async (...words: Parameters<typeof openSample>): Promise<Rehearsal> => {
  const rehearsal = await openSample(...words);
  open.push(rehearsal);
  return rehearsal;
};
afterEach(async () => {
  for (const rehearsal of open.splice(0)) await rehearsal.close();
});

test("a second stack with the same settings takes no host, and its destroy touches none", async () => {
  const first = await opened();
  await fine(first.up());
  const hosts = [...first.world.hosts.values()];
  const before = hosts.map(({ claim, k3s }) => [claim, k3s.running, k3s.configuration]);
  const second = await opened(sampleSettings(), { world: first.world });
  const { failure } = await second.up();
  expect(failure).toContain("this host is in use already: found region=tokyo machine=");
  expect(failure).toContain("of another stack · allowed no claim, or this stack's");
  await fine(second.destroy());
  expect(hosts.map(({ claim, k3s }) => [claim, k3s.running, k3s.configuration])).toEqual(before);
  expect(stepsOf(await fine(first.preview()))).toEqual([]);
});

test("an agent that becomes a server leaves, is given back, and comes again", async () => {
  const rehearsal = await opened();
  await fine(rehearsal.up());
  const { "a-1": moved, ...agents } = AGENTS;
  const accept = { "even-servers": "a fourth for the move" };
  const { steps, scripts, second } = await applyEdit(
    rehearsal,
    sampleSettings({ servers: { ...SERVERS, "a-1": moved }, agents, accept }),
  );
  expect(steps).toEqual(["replace a-1-host", "replace a-1-k3s", "replace a-1-member"]);
  expect(scripts).toEqual([
    "k3s-member leave a-1",
    "existing-host release a-1",
    "existing-host claim a-1",
    "k3s-node install a-1",
    "k3s-member join a-1",
  ]);
  expect(second).toEqual([]);
  expect(rehearsal.world.host("a-1").k3s.role).toBe("server");
});

test("a host that could not be given back starts from scratch as its next generation", async () => {
  const rehearsal = await opened();
  await fine(rehearsal.up());
  const host = rehearsal.world.host("a-1");
  const claimed = host.claim;
  host.alive = false;
  const settings = sampleSettings({ agents: { ...AGENTS, "a-1": machine("a-1", 21, { generation: 2 }) } });
  await rehearsal.configure(settings);
  expect((await rehearsal.up()).failure).toContain("TCP: a-1");
  expect(host.claim).toBe(claimed);
  host.alive = true;
  const before = rehearsal.world.events.length;
  await fine(rehearsal.up());
  const changes = rehearsal.world.events
    .slice(before)
    .filter(({ kind, script }) => kind === "change" && script === "existing-host");
  expect(changes.map(({ text }) => text).slice(-3)).toEqual(["k3s removed", "released", "claimed"]);
  expect(host.claim).toMatch(/generation=2$/);
  expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
});
