import type * as pulumi from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Device } from "../../components/mesh/resources/device.ts";
import { JoinKey } from "../../components/mesh/resources/join-key.ts";
import { MeshProvider, type MeshProviderArgs } from "../../components/mesh/resources/mesh-provider.ts";
import type { TailnetDevice } from "../../rehearsal/mesh/tailnet-state.ts";
import { TailnetStandIn } from "../../rehearsal/mesh/tailnet.ts";
import { Machine, openMesh, type Boot, type MeshSession } from "../support/mesh-session.ts";
import { fine, stepsOf } from "./sample.ts";

// Keys and devices of a mesh through the real engine, against a control plane that is played over HTTP.
const HOUR = 3600;
const TAG = "tag:k3s-tokyo";
const KEY = { description: "", tags: [TAG], preauthorized: true, reusable: false };

let tailnet: TailnetStandIn;
let mesh: MeshSession;

beforeEach(async () => {
  tailnet = new TailnetStandIn();
  tailnet.policy = JSON.stringify({ tagOwners: { [TAG]: ["autogroup:admin"], "tag:relay": ["autogroup:admin"] } });
  await tailnet.serve();
});
afterEach(async () => {
  await mesh.session.close();
  await tailnet.stop();
});

interface Plan {
  readonly machines?: readonly string[];
  readonly life?: string;
  readonly tags?: readonly string[];
  readonly waitSeconds?: number;
  readonly control?: Partial<MeshProviderArgs>;
}

/** A region's machines: each gets a key, is made with it, and is waited for. */
const region =
  ({ machines = ["tokyo-a"], life = "1", tags = [TAG], waitSeconds = 5, control }: Plan = {}): PulumiFn =>
  () => {
    const credential = control ?? { apiKey: tailnet.apiKey };
    const provider = new MeshProvider("control", { control: "tailscale", url: tailnet.url, ...credential });
    const outputs = machines.flatMap((machine): [string, unknown][] => {
      const key = new JoinKey(`${machine}-key`, { machine, region: "tokyo", tags, life }, { provider });
      const host = new Machine(`${machine}-host`, { hostname: machine, key: key.key, life });
      const device = new Device(
        `${machine}-device`,
        { machine, machineId: host.id, keyId: key.keyId, tags, waitSeconds },
        { provider, deleteBeforeReplace: true },
      );
      const { address, dnsName } = device;
      return [
        [machine, { address, dnsName, expires: key.expires }],
        [`${machine}-key`, key.key],
      ];
    });
    return Promise.resolve(Object.fromEntries(outputs));
  };

const joins: Boot = (machine) => expect(tailnet.join(machine)).toBeTypeOf("object");
const boots: Boot = () => undefined;

async function open(plan: Plan = {}, boot = joins): Promise<void> {
  mesh = await openMesh({ program: region(plan), boot, now: () => tailnet.clock.now() });
}
const run = (command: "up" | "preview", plan: Plan) => {
  mesh.session.use(region(plan));
  return mesh.session[command]();
};
const up = async (plan: Plan = {}): Promise<string[]> => stepsOf(await fine(run("up", plan)));
const preview = async (plan: Plan = {}): Promise<string[]> => stepsOf(await fine(run("preview", plan)));
const failure = async (plan: Plan = {}): Promise<string> => (await run("up", plan)).failure ?? "";

function only<T>(all: ReadonlyMap<string, T>): T {
  expect(all.size).toBe(1);
  return [...all.values()][0]!;
}
const stranger = (hostname: string): TailnetDevice => {
  const { key } = tailnet.makeKey(KEY, HOUR);
  return tailnet.join({ key, hostname }) as TailnetDevice;
};

describe("a machine in the mesh", () => {
  test("has a key that works once, and its own name; ever after there is nothing to do; its end leaves nothing", async () => {
    await open();
    tailnet.tagsNeverExpire = false;
    const all = ["create control", "create tokyo-a-device", "create tokyo-a-host", "create tokyo-a-key"];
    expect(await preview({ control: {} })).toEqual(all);
    expect(tailnet.server.requests).toEqual([]);
    expect(await up()).toEqual(all);
    const { name, address, tags, keyExpiryDisabled } = only(tailnet.devices);
    expect({ name, tags, keyExpiryDisabled }).toEqual({ name: "tokyo-a", tags: [TAG], keyExpiryDisabled: true });
    const outputs = await mesh.session.outputs();
    expect(outputs["tokyo-a"]!.value).toMatchObject({ address, dnsName: "tokyo-a.stand-in.ts.net" });
    const { key, reusable, preauthorized, description } = only(tailnet.keys);
    expect({ reusable, preauthorized }).toEqual({ reusable: false, preauthorized: true });
    expect(description).toBe("hybrid-k3s tokyo tokyo-a");
    expect(outputs["tokyo-a-key"]).toEqual({ secret: true, value: key });
    expect(tailnet.join({ key, hostname: "tokyo-b" })).toContain("not valid");
    tailnet.clock.advance(1000 * HOUR);
    expect(await preview()).toEqual([]);
    await fine(mesh.session.destroy());
    expect([tailnet.devices.size, tailnet.keys.size]).toEqual([0, 0]);
  });

  test("is refused where a device has its name, before a key is made or after; the next run heals it", async () => {
    const { id, address } = stranger("tokyo-a");
    tailnet.leave(tailnet.devices.get(id)!);
    tailnet.keys.clear();
    await open();
    const taken = await failure();
    expect(taken).toContain(`the mesh has a device called tokyo-a already: tokyo-a (id ${id}, ${address}, last seen `);
    expect(taken).toContain("A second one would become tokyo-a-1 · fix: remove that device");
    expect(tailnet.keys.size).toBe(0);
    tailnet.devices.clear();
    mesh.boot = (machine) => {
      stranger("tokyo-a");
      joins(machine);
    };
    const beside = /tokyo-a joined the mesh as tokyo-a-1 \(id .*\), for its name was taken by tokyo-a \(id .*raise the/;
    expect(await failure()).toMatch(beside);
    tailnet.devices.clear();
    mesh.boot = joins;
    expect(await up({ life: "2" })).toEqual(["create tokyo-a-device", "replace tokyo-a-host", "update tokyo-a-key"]);
    expect(only(tailnet.devices).name).toBe("tokyo-a");
  });

  test("gets other tags without another key, and what follows from its address does not move", async () => {
    /** Something is made of the address: where that is not known, a preview says that it is replaced. */
    const followed =
      (plan: Plan): PulumiFn =>
      async () => {
        const { "tokyo-a": device } = (await region(plan)()) as { "tokyo-a": { address: pulumi.Output<string> } };
        new Machine("follower", { hostname: device.address, key: "", life: "1" });
      };
    await open({}, (machine) => machine.key === "" || joins(machine));
    mesh.session.use(followed({}));
    await fine(mesh.session.up());
    const { id } = only(tailnet.keys);
    tailnet.clock.advance(9 * HOUR);
    const tags = [TAG, "tag:relay"];
    mesh.session.use(followed({ tags }));
    const update = ["update tokyo-a-device", "update tokyo-a-key"];
    expect(stepsOf(await fine(mesh.session.preview()))).toEqual(update);
    expect(stepsOf(await fine(mesh.session.up()))).toEqual(update);
    expect(only(tailnet.devices).tags).toEqual(tags);
    expect(only(tailnet.keys).id).toBe(id);
  });
});

describe("a key that expires unused", () => {
  test("is minted anew in place, and the machine that is there is not replaced", async () => {
    await open({ waitSeconds: 1 }, boots);
    expect(await failure({ waitSeconds: 1 })).toMatch(
      /waited 1 s for tokyo-a to join the mesh · fix: does the host reach /,
    );
    const before = only(tailnet.keys);
    tailnet.clock.advance(2 * HOUR);
    const healing = ["create tokyo-a-device", "update tokyo-a-key"];
    expect(await preview()).toEqual(healing);
    // A host that stands already is told the new key over SSH.
    const watch = setInterval(() => {
      const key = [...tailnet.keys.values()].find(({ id, used }) => id !== before.id && !used);
      if (key !== undefined) tailnet.join({ key: key.key, hostname: "tokyo-a" });
    }, 50);
    try {
      expect(await up()).toEqual(healing);
    } finally {
      clearInterval(watch);
    }
    expect(only(tailnet.keys).id).not.toBe(before.id);
    expect(only(tailnet.devices).name).toBe("tokyo-a");
  });

  test("is minted anew for a machine that could not be made until now", async () => {
    await open({}, () => {
      throw new Error("the cloud is out of machines");
    });
    expect(await failure()).toContain("the cloud is out of machines");
    tailnet.clock.advance(2 * HOUR);
    mesh.boot = joins;
    expect(await up()).toEqual(["create tokyo-a-device", "create tokyo-a-host", "update tokyo-a-key"]);
  });
});

describe("a machine's end", () => {
  test("another life: another key, the old one revoked; the old device goes before the new one comes", async () => {
    await open();
    await up();
    const before = { device: only(tailnet.devices).id, key: only(tailnet.keys).id };
    const anew = ["replace tokyo-a-device", "replace tokyo-a-host", "update tokyo-a-key"];
    expect(await preview({ life: "2" })).toEqual(anew);
    expect(await up({ life: "2" })).toEqual(anew);
    expect(only(tailnet.devices).name).toBe("tokyo-a");
    expect(only(tailnet.devices).id).not.toBe(before.device);
    expect(only(tailnet.keys).id).not.toBe(before.key);
  });

  test("one of two is taken out with its device and key; what somebody removed is waited for anew", async () => {
    const machines = ["tokyo-a", "tokyo-b"];
    await open({ machines });
    await up({ machines });
    const gone = ["delete tokyo-a-device", "delete tokyo-a-host", "delete tokyo-a-key"];
    expect(await up({ machines: ["tokyo-b"] })).toEqual(gone);
    expect(only(tailnet.devices).name).toBe("tokyo-b");
    expect(only(tailnet.keys).description).toBe("hybrid-k3s tokyo tokyo-b");
    tailnet.devices.clear();
    await fine(mesh.session.refresh());
    stranger("tokyo-b");
    expect(await up({ machines: ["tokyo-b"] })).toEqual(["create tokyo-b-device"]);
    // What is gone already is no error.
    tailnet.devices.clear();
    tailnet.keys.clear();
    await fine(mesh.session.destroy());
  });
});

describe("the provider's configuration", () => {
  test("a preview without a credential says once what it did not look at; an update needs one", async () => {
    const machines = ["tokyo-a", "tokyo-b"];
    await open({ machines });
    await up({ machines });
    tailnet.clock.advance(2 * HOUR);
    const record = await fine(run("preview", { machines, control: {} }));
    expect(stepsOf(record)).toEqual(["update control"]);
    expect(record.messages.map(({ severity, text }) => `${severity}: ${text}`)).toEqual([
      expect.stringMatching(
        /^info: what has changed in the mesh itself was not looked at: no credential for tailscale at/,
      ),
    ]);
    expect(await failure({ machines: ["tokyo-c"], control: {} })).toContain(
      `no credential for tailscale at ${tailnet.url} · fix: set mesh.apiKey`,
    );
  });

  test("another address and credential replace nothing; another kind of control plane replaces everything in it", async () => {
    await open();
    await up();
    const { id: clientId, secret: clientSecret } = tailnet.client;
    await tailnet.stop();
    const before = tailnet.url;
    expect(await tailnet.serve()).not.toBe(before);
    expect(await up({ control: { clientId, clientSecret } })).toEqual(["update control"]);
    const other = { control: "headscale", apiKey: "other" } as const;
    expect(await preview({ control: other })).toEqual([
      "replace control",
      "replace tokyo-a-device",
      "replace tokyo-a-key",
    ]);
    const wrong = await run("preview", { control: { url: "http://control.example.net" } });
    expect(wrong.failure).toContain("found http://control.example.net · allowed https://");
  });

  test("no key and no credential stands in clear text: state, messages, errors, events", async () => {
    await open({ waitSeconds: 1 }, boots);
    const told: string[] = [];
    const { messages, failure: said = "" } = await run("up", { waitSeconds: 1 });
    told.push(JSON.stringify(messages), said, mesh.stateFiles());
    const { key } = only(tailnet.keys);
    tailnet.server.fail({ status: 400, message: `the key ${key} is bad`, method: "GET" });
    told.push(await failure());
    expect(told.at(-1)).toContain("400 the key … is bad");
    tailnet.join({ key, hostname: "tokyo-a" });
    const events = await mesh.events("up", region());
    // The engine's debug messages hold whole property maps; it prints them with --debug alone.
    const kept = events.filter(({ diagnosticEvent }) => (diagnosticEvent?.severity as string) !== "debug");
    told.push(JSON.stringify(kept), mesh.stateFiles());
    expect(told.at(-2)).toContain("tokyo-a-device");
    for (const secret of [key, tailnet.apiKey]) {
      expect(told.filter((text) => text.includes(secret)).map((text) => text.slice(0, 200))).toEqual([]);
    }
  });
});
