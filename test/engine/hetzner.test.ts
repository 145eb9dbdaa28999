import { afterEach, describe, expect, test } from "vitest";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { applyEdit, fine, openSample, stepsOf } from "./sample.ts";

let rehearsal: Rehearsal;
afterEach(async () => {
  await rehearsal.close();
});

const OFFICE = "198.51.100.7/32";

/** A region of three Hetzner servers and an agent with a volume. */
function settings({
  servers = {},
  from = [OFFICE],
  site = {},
  pools = {},
}: { servers?: object; from?: readonly string[]; site?: object; pools?: object } = {}): Record<string, unknown> {
  return {
    "hybrid-k3s:region": "fsn1",
    "hybrid-k3s:kubernetes": { version: "v1.36.3+k3s1" },
    "hybrid-k3s:sites": {
      cloud: {
        provider: "hetzner",
        locations: ["fsn1", "nbg1"],
        lan: "10.30.0.0/24",
        access: { from },
        ...site,
        pools: {
          control: { role: "server", type: "cx33", machines: { a: {}, b: {}, c: {}, ...servers } },
          work: { role: "agent", type: "cax21", volume: "50GiB", machines: { w: {} } },
          ...pools,
        },
      },
    },
  };
}

const warnings = (record: { messages: readonly { severity: string; text: string }[] }): string[] =>
  record.messages
    .filter(({ severity, text }) => severity === "warning" && !text.startsWith("unpinned"))
    .map(({ text }) => text);

/** Text of the resource changes of the world, such as `b server made`. */
const changes = (events: readonly { kind: string; script: string; host: string; text: string }[]): string[] =>
  events.filter(({ kind, script }) => kind === "change" && script === "").map(({ host, text }) => `${host} ${text}`);

describe("a Hetzner region that runs", () => {
  test("one server's next generation: its node leaves, the protection is lifted, the server is made anew at its addresses", async () => {
    rehearsal = await openSample(settings());
    await fine(rehearsal.up());
    const before = rehearsal.world.host("b").endpoint;
    const edit = await applyEdit(rehearsal, settings({ servers: { b: { generation: 2 } } }));
    const replaced = ["b-host", "b-k3s", "b-member", "b-network", "b-protection", "b-server"];
    expect(edit.steps).toEqual(replaced.map((name) => `replace ${name}`));
    expect(edit.scripts).toEqual([
      "k3s-member leave b",
      "server-protection lift b",
      "host-baseline prepare b",
      "server-protection protect b",
      "k3s-node install b",
      "k3s-member join b",
    ]);
    expect(changes(edit.events).slice(0, 2)).toEqual(["b server deleted", "b server made"]);
    expect(edit.second).toEqual([]);
    expect(rehearsal.world.host("b").endpoint).toBe(before);
  });

  test("a server whose first contact failed can be deleted: it is protected only once what lifts it is there", async () => {
    rehearsal = await openSample(settings());
    rehearsal.world.cloud.boots.set("b", { silent: true });
    expect((await rehearsal.up()).failure).toContain("TCP: b");
    await fine(rehearsal.destroy());
    expect([...rehearsal.world.cloud.protectedServers.keys()]).toEqual([]);
  });

  test("another type, image or location waits for the next generation, and is said", async () => {
    rehearsal = await openSample(settings());
    await fine(rehearsal.up());
    await rehearsal.configure(settings({ servers: { b: { type: "cx43", image: "debian-13" } } }));
    const preview = await fine(rehearsal.preview());
    expect(stepsOf(preview)).toEqual([]);
    expect(warnings(preview)).toEqual([
      "b.image: the machine has debian-12, and the settings say debian-13 · it stays as it is until its next generation · fix: set generation: 2 to replace the machine, or write debian-12 again",
      "b.type: the machine has cx33, and the settings say cx43 · it stays as it is until its next generation · fix: set generation: 2 to replace the machine, or write cx33 again",
    ]);
  });

  test("another range that may connect: one edit in place a firewall, and no server is ever open or closed", async () => {
    rehearsal = await openSample(settings());
    await fine(rehearsal.up());
    const edit = await applyEdit(rehearsal, settings({ from: ["203.0.113.0/24"] }));
    expect(edit.upSteps).toEqual(["update fsn1-cloud-agent-firewall", "update fsn1-cloud-server-firewall"]);
    expect(changes(edit.events).sort()).toEqual([
      "a open: tcp 22 from 203.0.113.0/24, tcp 6443 from 203.0.113.0/24",
      "b open: tcp 22 from 203.0.113.0/24, tcp 6443 from 203.0.113.0/24",
      "c open: tcp 22 from 203.0.113.0/24, tcp 6443 from 203.0.113.0/24",
      "w open: tcp 22 from 203.0.113.0/24",
    ]);
    expect(edit.second).toEqual([]);
  });

  test("a type that is sold out everywhere by now touches no server that stands", async () => {
    rehearsal = await openSample(settings());
    await fine(rehearsal.up());
    for (const location of ["fsn1", "nbg1", "hel1"]) rehearsal.world.cloud.soldOut.add(`cx33 ${location}`);
    const preview = await fine(rehearsal.preview());
    expect(stepsOf(preview)).toEqual([]);
    expect(warnings(preview)).toEqual([]);
    // A next generation that could not be made does not cost the one that stands.
    await rehearsal.configure(settings({ servers: { b: { generation: 2 } } }));
    const up = await rehearsal.up();
    expect(up.failure?.trim()).toBe(
      "b.type: found cx33, which is sold out in fsn1 · allowed a type that is to be had there; no location has it · fix: its addresses are in fsn1: write another type, or run again later\nNo server was made or deleted.",
    );
    expect(stepsOf(up)).toEqual([]);
  });

  test("a destroy lifts every protection first, and leaves nothing", async () => {
    rehearsal = await openSample(settings());
    await fine(rehearsal.up());
    const before = rehearsal.world.events.length;
    await fine(rehearsal.destroy());
    const begun = rehearsal.world.events.slice(before).filter(({ kind }) => kind === "begin");
    expect(begun.map(({ action, node }) => `${action} ${node}`).sort()).toEqual(["lift a", "lift b", "lift c"]);
    expect(rehearsal.world.hosts.size).toBe(0);
  });
});

describe("a type that is sold out", () => {
  test("in the first location: the next one is taken, and said", async () => {
    rehearsal = await openSample(settings());
    rehearsal.world.cloud.soldOut.add("cx33 fsn1");
    expect(warnings(await fine(rehearsal.preview())).sort()).toEqual(
      ["a", "b", "c"].map((name) => `${name}: fsn1 has no cx33 now, it is made in nbg1`),
    );
    await fine(rehearsal.up());
    // The first location has it again: nothing moves.
    rehearsal.world.cloud.soldOut.clear();
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  });

  test("in all locations: the update ends with what to do, and no server was made", async () => {
    rehearsal = await openSample(settings());
    for (const location of ["fsn1", "nbg1"]) rehearsal.world.cloud.soldOut.add(`cx33 ${location}`);
    const preview = await rehearsal.preview();
    const said = ["a", "b", "c"].map(
      (name) =>
        `${name}.type: found cx33, which is sold out in fsn1, nbg1 · allowed a type that is to be had there; hel1 has it · fix: add a location of the same network zone, write another type, or run again later\n`,
    );
    expect(preview.failure?.trim()).toBe(`${said.join("")}No server was made or deleted.`);
    const up = await rehearsal.up();
    expect(up.failure?.trim()).toBe(preview.failure?.trim());
    expect(rehearsal.world.hosts.size).toBe(0);
    rehearsal.world.cloud.soldOut.clear();
    await fine(rehearsal.up());
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  });
});

describe("a project that refuses", () => {
  test("a quota that is reached half-way: the next run makes the rest", async () => {
    rehearsal = await openSample(settings());
    rehearsal.world.cloud.quota = 2;
    const up = await rehearsal.up();
    expect(up.failure).toContain("server limit exceeded (resource_limit_exceeded)");
    expect(rehearsal.world.hosts.size).toBe(2);
    rehearsal.world.cloud.quota = undefined;
    await fine(rehearsal.up());
    expect(rehearsal.world.hosts.size).toBe(4);
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  });

  test("too many requests are tried again by the provider", async () => {
    rehearsal = await openSample(settings());
    rehearsal.world.faults.add({ kind: "api-status", resource: "b-server", status: 429, times: 5 });
    await fine(rehearsal.up());
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  });

  test("an API that fails ends the update, and the next run finishes", async () => {
    rehearsal = await openSample(settings());
    rehearsal.world.faults.add({ kind: "api-status", resource: "b-server", status: 500 });
    const up = await rehearsal.up();
    expect(up.failure).toContain("500 the API failed");
    await fine(rehearsal.up());
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  });
});

test("without public IPv4 a server is reached on its IPv6 address", async () => {
  rehearsal = await openSample(settings({ from: ["2001:db8:ffff::/48"], site: { publicIpv4: false } }));
  await fine(rehearsal.up());
  expect(rehearsal.world.host("a").endpoint).toMatch(/^2001:db8:[0-9a-f]+::1:22$/);
  const outputs = await rehearsal.session.outputs();
  const { kubernetes } = outputs["endpoints"]?.value as { kubernetes: string };
  expect(kubernetes).toMatch(/^https:\/\/\[2001:db8:[0-9a-f]+::1\]:6443$/);
  expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
});

describe("a load balancer of a Hetzner region", () => {
  const balanced = (site: object) => settings({ site, pools: OPEN });
  /** The agents take requests. */
  const OPEN = { web: { role: "agent", type: "cx23", ingress: true, machines: { x: {} } } };

  test("has an address that the stack tells, replaces no server, and goes without a trace", async () => {
    rehearsal = await openSample(balanced({}));
    await fine(rehearsal.up());
    const before = await applyEdit(rehearsal, balanced({ loadBalancer: { type: "lb11" } }));
    const parts = ["", "-443", "-80", "-network", "-target"].map((part) => `create fsn1-cloud-load-balancer${part}`);
    expect(before.steps).toEqual(expect.arrayContaining(parts));
    expect(before.steps).toContain("update x-server");
    expect(before.steps.filter((step) => step.startsWith("replace"))).toEqual([]);
    expect(before.second).toEqual([]);
    const { endpoints } = await rehearsal.session.outputs();
    expect((endpoints?.value as { ingress: object }).ingress).toEqual({
      cloud: expect.stringMatching(/^\d+\.\d+\./) as string,
    });
    await applyEdit(rehearsal, balanced({}));
    await fine(rehearsal.destroy());
  });

  test("goes with its region, before the network that it is in", async () => {
    rehearsal = await openSample(balanced({ loadBalancer: { type: "lb11" } }));
    await fine(rehearsal.up());
    const { finished } = await fine(rehearsal.destroy());
    const parts = ["-load-balancer-network", "-load-balancer", "-network"].map((part) => `fsn1-cloud${part}`);
    const gone = finished.filter(({ op }) => op === "delete").map(({ name }) => name);
    expect(gone.filter((name) => parts.includes(name))).toEqual(parts);
    expect(rehearsal.world.hosts.size).toBe(0);
    expect(Object.keys(await rehearsal.session.outputs())).toEqual([]);
  });
});
