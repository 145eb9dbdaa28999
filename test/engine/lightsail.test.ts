import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { publicHalf } from "../../components/bootstrap/login-key.ts";
import { placeholderKey } from "../../rehearsal/engine/placeholder-key.ts";
import type { RunRecord } from "../../rehearsal/engine/steps.ts";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { applyEdit, fine, openSample, stepsOf } from "./sample.ts";

const SERVERS = ["tokyo-a", "tokyo-c", "tokyo-d"];
const MACHINES = [...SERVERS, "tokyo-w"];

type Machines = Readonly<Record<string, object>>;

/** A region of Lightsail servers, each in a zone of its own, and one Lightsail agent with ingress and a disk. */
function settings({
  servers = {},
  agent = {},
  only = SERVERS,
  access = ["198.51.100.7/32"],
  kubernetes = {},
}: {
  servers?: Machines;
  agent?: object;
  only?: readonly string[];
  access?: readonly string[];
  kubernetes?: object;
} = {}): Record<string, unknown> {
  const machines = Object.fromEntries(only.map((name) => [name, { zone: name.at(-1), ...servers[name] }]));
  return {
    "hybrid-k3s:region": "tokyo",
    "hybrid-k3s:kubernetes": { version: "v1.36.3+k3s1", ...kubernetes },
    "hybrid-k3s:sites": {
      tokyo: {
        provider: "lightsail",
        awsRegion: "ap-northeast-1",
        access: { from: access },
        bundle: "large_3_0",
        pools: {
          control: { role: "server", machines },
          work: { role: "agent", ingress: true, disk: "32GiB", machines: { "tokyo-w": { zone: "a", ...agent } } },
        },
      },
    },
  };
}

/** Words of a run that say what waits for the next generation. */
const notes = ({ messages }: RunRecord): string[] =>
  messages.filter(({ text }) => text.includes(": the machine has ")).map(({ text }) => text);

/** Lists of open ports, as the world saw them one after another, of one machine. */
const lists = (events: readonly { readonly node: string; readonly text: string }[], machine: string): string[] =>
  events.filter(({ node, text }) => node === machine && text.startsWith("open: ")).map(({ text }) => text.slice(6));

const SERVER_PORTS = (range: string): string =>
  [22, 6443].map((port) => `tcp ${port} from ${range} ::1/128`).join(", ");
const AGENT_PORTS = (range: string): string =>
  [`tcp 22 from ${range} ::1/128`, ...[80, 443].map((port) => `tcp ${port} from 0.0.0.0/0 ::/0`)].join(", ");

// One cluster lives through all edits, in the order of this file: each test starts where the one before it ended.
describe("edits of Lightsail machines, one after another on one cluster", () => {
  let rehearsal: Rehearsal;
  let servers: Machines = {};

  beforeAll(async () => {
    rehearsal = await openSample(settings());
    const up = await fine(rehearsal.up());
    expect(notes(up)).toEqual([]);
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  });
  afterAll(async () => {
    await rehearsal.close();
  });

  test("another bundle with the same generation changes nothing, and every preview says that it waits", async () => {
    servers = { "tokyo-c": { bundle: "xlarge_3_0" } };
    const { "tokyo-c": before } = Object.fromEntries(MACHINES.map((name) => [name, rehearsal.world.host(name)]));
    const edit = await applyEdit(rehearsal, settings({ servers }));
    expect(edit.steps).toEqual([]);
    expect(edit.upSteps).toEqual([]);
    expect(edit.events).toEqual([]);
    expect(notes(await fine(rehearsal.preview()))).toEqual([
      "tokyo-c.bundle: the machine has large_3_0, and the settings say xlarge_3_0 · it stays as it is until its next generation · fix: set generation: 2 to replace the machine, or write large_3_0 again",
    ]);
    expect(rehearsal.world.host("tokyo-c")).toBe(before);
  });

  test("a raised generation replaces that server alone: it leaves first, and its address stays", async () => {
    const before = rehearsal.world.host("tokyo-c").endpoint;
    servers = { "tokyo-c": { bundle: "xlarge_3_0", generation: 2 } };
    const edit = await applyEdit(rehearsal, settings({ servers }));
    expect(edit.steps).toEqual(
      ["address-attachment", "host", "instance", "k3s", "member", "ports"].map((part) => `replace tokyo-c-${part}`),
    );
    expect(edit.upSteps).toEqual(edit.steps);
    expect(edit.scripts).toEqual([
      "k3s-member leave tokyo-c",
      "host-baseline prepare tokyo-c",
      "k3s-node install tokyo-c",
      "k3s-member join tokyo-c",
    ]);
    const order = edit.events
      .filter(({ kind, script }) => kind === "change" || script !== "")
      .map(({ kind, script, action, text }) => (kind === "change" ? text : `${kind} ${script} ${action}`))
      .filter((text) => /^(end k3s-member leave|instance|begin host-baseline)/.test(text));
    expect(order).toEqual(["end k3s-member leave", "instance deleted", "instance made", "begin host-baseline prepare"]);
    expect(edit.events.every(({ clusters }) => clusters.every(({ apiUp }) => apiUp))).toBe(true);
    expect(rehearsal.world.host("tokyo-c").endpoint).toBe(before);
    expect(edit.second).toEqual([]);
    expect(notes(await fine(rehearsal.preview()))).toEqual([]);
  });

  test("a raised generation of an agent keeps its disk, which is attached to the new instance", async () => {
    const edit = await applyEdit(rehearsal, settings({ servers, agent: { generation: 2 } }));
    expect(edit.steps).toEqual(
      ["disk-attachment", "host", "instance", "k3s", "member", "ports"].map((part) => `replace tokyo-w-${part}`),
    );
    expect(edit.scripts[0]).toBe("k3s-member leave tokyo-w");
    expect(edit.second).toEqual([]);
  });

  const agent = { generation: 2 };

  test("a disk of another size changes nothing, for another disk would be an empty one", async () => {
    const edit = await applyEdit(rehearsal, settings({ servers, agent: { ...agent, disk: "64GiB" } }));
    expect(edit.steps).toEqual([]);
    expect(edit.events).toEqual([]);
    const said = (await fine(rehearsal.preview())).messages.filter(({ resource }) => resource === "tokyo-w-disk");
    expect(said.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^tokyo-w\.disk: the disk has 32GiB, and the settings say 64GiB · it stays as it is: /),
    ]);
  });

  test("another range makes every list of ports anew, the old one first, and the whole list is open in the end", async () => {
    const edit = await applyEdit(rehearsal, settings({ servers, agent, access: ["203.0.113.0/24"] }));
    expect(edit.steps).toEqual(MACHINES.map((name) => `replace ${name}-ports`));
    expect(edit.scripts).toEqual([]);
    // In the other order the end of the old list would close the ports of the new one.
    for (const name of SERVERS) expect(lists(edit.events, name)).toEqual(["nothing", SERVER_PORTS("203.0.113.0/24")]);
    expect(lists(edit.events, "tokyo-w")).toEqual(["nothing", AGENT_PORTS("203.0.113.0/24")]);
    expect(rehearsal.world.cloud.publicRules.get("tokyo-a")?.join(", ")).toBe(SERVER_PORTS("203.0.113.0/24"));
    expect(edit.second).toEqual([]);
  });

  test("a list whose making fails leaves that machine closed until the next update, which makes it", async () => {
    rehearsal.world.faults.add({ kind: "provider-error", resource: "tokyo-a-ports", action: "create" });
    await rehearsal.configure(settings({ servers, agent, access: ["192.0.2.0/24"] }));
    expect((await rehearsal.up()).failure).toContain("tokyo-a-ports: 500 Internal Server Error");
    expect(rehearsal.world.host("tokyo-a").firewalled).toBe(true);
    await fine(rehearsal.up());
    for (const name of SERVERS) {
      expect(rehearsal.world.cloud.publicRules.get(name)?.join(", ")).toBe(SERVER_PORTS("192.0.2.0/24"));
    }
    expect(rehearsal.world.cloud.publicRules.get("tokyo-w")?.join(", ")).toBe(AGENT_PORTS("192.0.2.0/24"));
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  });

  test("a new login key reaches every host by the one before it, and replaces nothing", async () => {
    const same = settings({ servers, agent, access: ["192.0.2.0/24"] });
    const [old, fresh] = [placeholderKey("rehearsal"), placeholderKey("new")].map(publicHalf);
    await rehearsal.configureSecrets({
      "hybrid-k3s:sshPrivateKey": placeholderKey("new"),
      "hybrid-k3s:previousSshPrivateKey": placeholderKey("rehearsal"),
    });
    const hosts = MACHINES.map((name) => rehearsal.world.host(name));
    const edit = await applyEdit(rehearsal, same);
    expect(edit.steps).toEqual(
      [
        `create tokyo-tokyo-login-${fresh?.digest}`,
        `delete tokyo-tokyo-login-${old?.digest}`,
        ...MACHINES.flatMap((name) => ["host", "k3s", "member"].map((part) => `update ${name}-${part}`)),
      ].sort(),
    );
    expect(edit.second).toEqual([]);
    expect(MACHINES.map((name) => rehearsal.world.host(name))).toEqual(hosts);
    for (const host of hosts) expect([...(host.authorizedKeys ?? [])]).toEqual([fresh?.publicKey]);

    // The key before it is taken out of the settings: only what could have used it is told.
    await rehearsal.configureSecrets({ "hybrid-k3s:previousSshPrivateKey": null });
    const last = await applyEdit(rehearsal, same);
    expect(last.steps).toEqual(MACHINES.map((name) => `update ${name}-host`));
    expect(last.second).toEqual([]);
  });

  test("a new login key without the one before it is refused, and no host is touched", async () => {
    await rehearsal.configureSecrets({ "hybrid-k3s:sshPrivateKey": placeholderKey("third") });
    const up = await rehearsal.up();
    expect(up.failure).toMatch(/SSH: tokyo-[acdw] \(198\.18\.\d+\.\d+ port 22\) refused the login as ec2-user/);
    await rehearsal.configureSecrets({ "hybrid-k3s:previousSshPrivateKey": placeholderKey("new") });
    await fine(rehearsal.up());
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  });
});

describe("a cloud that does not do what it is asked", () => {
  let rehearsal: Rehearsal;
  afterEach(async () => {
    await rehearsal.close();
  });
  const small = (more: Parameters<typeof settings>[0] = {}) => settings({ only: ["tokyo-a"], ...more });
  const heals = async () => {
    await fine(rehearsal.up());
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  };

  test("a quota that is reached half-way fails in the API's words, and once it is raised the next update goes on", async () => {
    rehearsal = await openSample(settings());
    rehearsal.world.cloud.quota = 2;
    const up = await rehearsal.up();
    expect(up.failure).toContain(
      "InvalidInputException: Sorry, you've reached your maximum limit of Lightsail Instances : 2",
    );
    expect(rehearsal.world.events.filter(({ text }) => text === "instance made")).toHaveLength(2);
    rehearsal.world.cloud.quota = 20;
    await heals();
    expect(rehearsal.world.events.filter(({ text }) => text === "instance made")).toHaveLength(4);
    expect(rehearsal.world.clusters).toHaveLength(1);
  });

  test("a zone without capacity is named, and the machine is made once there is some", async () => {
    rehearsal = await openSample(small());
    rehearsal.world.cloud.soldOut.add("large_3_0 ap-northeast-1a");
    expect((await rehearsal.up()).failure).toMatch(
      /tokyo-[aw]-instance: creating Lightsail Instance \(tokyo-tokyo-[aw]\): CreateInstances: .* not enough capacity for large_3_0 in ap-northeast-1a/,
    );
    rehearsal.world.cloud.soldOut.clear();
    await heals();
  });

  test("requests that are too many are tried again, and nobody hears of it", async () => {
    rehearsal = await openSample(small());
    rehearsal.world.faults.add({ kind: "api-status", resource: "tokyo-a-instance", status: 429, times: 10 });
    rehearsal.world.faults.add({ kind: "api-status", resource: "tokyo-w-ports", status: 500, times: 24 });
    await heals();
  });

  test("an API that fails beyond every try fails the update, and the next one finishes it", async () => {
    rehearsal = await openSample(small());
    rehearsal.world.faults.add({ kind: "api-status", resource: "tokyo-a-address", status: 500, times: 25 });
    expect((await rehearsal.up()).failure).toContain("tokyo-a-address: 500 the API failed");
    await heals();
  });

  test("a slow boot is waited for, inside the budget", async () => {
    rehearsal = await openSample(small({ kubernetes: { connectTimeout: "10m" } }));
    rehearsal.world.cloud.boots.set("tokyo-a", { seconds: 550 });
    await heals();
    // The clock is one for all: what another machine's boot took has passed for this one too.
    expect(rehearsal.world.durations.get("tokyo-a-host")).toBeGreaterThan(500);
  });

  test("an instance that never answers fails by name, and is taken up where it stands once it does", async () => {
    rehearsal = await openSample(small({ kubernetes: { connectTimeout: "1m" } }));
    rehearsal.world.cloud.boots.set("tokyo-w", { silent: true });
    const up = await rehearsal.up();
    expect(up.failure).toMatch(
      /TCP: tokyo-w \(198\.18\.\d+\.\d+ port 22\) did not answer within 60 s: .*Connection refused/,
    );
    expect(up.failure).toContain("nothing was changed by host-baseline prepare");
    const host = rehearsal.world.host("tokyo-w");
    host.sshUp = true;
    await heals();
    expect(rehearsal.world.host("tokyo-w")).toBe(host);
    expect(rehearsal.world.cluster("tokyo")?.ready("tokyo-w")).toBe(true);
  });

  test("destroy leaves nothing in the account, also where a machine does not answer any more", async () => {
    rehearsal = await openSample(small());
    await fine(rehearsal.up());
    rehearsal.world.host("tokyo-w").sshUp = false;
    const before = rehearsal.world.events.length;
    await fine(rehearsal.destroy());
    const events = rehearsal.world.events.slice(before);
    expect(events.filter(({ script }) => script !== "")).toEqual([]);
    expect(events.filter(({ text }) => text === "instance deleted").map(({ node }) => node)).toHaveLength(2);
    expect([rehearsal.world.hosts.size, rehearsal.world.cloud.publicRules.size]).toEqual([0, 0]);
    // Every name is free again: the same settings make everything anew.
    await heals();
  });
});
