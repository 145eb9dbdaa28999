import { local } from "@pulumi/command";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { afterEach, describe, expect, test } from "vitest";
import { stationCommandText } from "../../components/host/command-text.ts";
import { manifestObject } from "../../components/platform/manifest-object.ts";
import { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { World } from "../../rehearsal/world/world.ts";
import { fine, stepsOf } from "./sample.ts";
import { PLACEHOLDER } from "../../rehearsal/engine/stack-config.ts";

// What the engine makes of the stand-ins, shown with the smallest programs that show it.
let rehearsal: Rehearsal;
afterEach(async () => {
  await rehearsal.close();
});

async function open(program: PulumiFn, settingsText = "config: {}"): Promise<Rehearsal> {
  const world = new World();
  world.addHost({ name: "h", endpoint: "10.0.0.1:22", address: "10.0.0.1", network: "r", hostKey: "ssh-ed25519 AAAA" });
  return Rehearsal.open({ stack: "providers", settingsText: `${settingsText}\n`, overrides: REQUIRED, program, world });
}
/** Pulumi.yaml demands these of every stack; the programs here do not read them. */
const REQUIRED = { "hybrid-k3s:region": "r", "hybrid-k3s:kubernetes": {}, "hybrid-k3s:sites": {} };

const script = (note: string): string =>
  stationCommandText({
    script: "existing-host",
    action: "claim",
    parameters: {
      TARGETS: "h root@10.0.0.1:22 ssh-ed25519 AAAA",
      CONNECT_SECONDS: "1",
      NODE_NAME: "h",
      REGION: "r",
      GENERATION: "1",
      OWNER: "o",
      NOTE: note,
    },
  });

describe("command", () => {
  const program =
    (note: string, trigger: string): PulumiFn =>
    () => {
      const command = new local.Command("c", { create: script(note), triggers: [trigger] });
      new random.RandomId("after", { byteLength: 2, keepers: { said: command.stdout } });
      return Promise.resolve({ said: command.stdout });
    };

  test("a changed text is an update whose output is unknown in the preview; a changed trigger is a replacement", async () => {
    rehearsal = await open(program("one", "1"));
    await fine(rehearsal.up());
    expect((await rehearsal.session.outputs())["said"]?.value).toBe("claimed for region=r machine=h");
    rehearsal.session.use(program("two", "1"));
    // What follows the unknown output looks replaced in the preview, and is the same when the output turns out so.
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual(["replace after", "update c"]);
    expect(stepsOf(await fine(rehearsal.up()))).toEqual(["update c"]);
    rehearsal.session.use(program("two", "2"));
    expect(stepsOf(await fine(rehearsal.up()))).toEqual(["replace c"]);
  });
});

describe("random", () => {
  test("a password is a secret in the state and in what is made of it", async () => {
    rehearsal = await open(() => {
      const password = new random.RandomPassword("p", { length: 20 });
      return Promise.resolve({ word: pulumi.interpolate`word ${password.result}` });
    });
    await fine(rehearsal.up());
    const { word } = await rehearsal.session.outputs();
    expect(word).toMatchObject({ secret: true, value: expect.stringMatching(/^word .{20}$/) as string });
  });
});

describe("kubernetes", () => {
  const program =
    (kubeconfig: string, clusterIdentifier?: string): PulumiFn =>
    () => {
      new kubernetes.Provider("k", { kubeconfig, ...(clusterIdentifier === undefined ? {} : { clusterIdentifier }) });
      return Promise.resolve({});
    };

  test("another kubeconfig replaces the provider, unless a fixed identifier says that the cluster is the same", async () => {
    rehearsal = await open(program("one"));
    await fine(rehearsal.up());
    rehearsal.session.use(program("two"));
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual(["replace k"]);
    rehearsal.session.use(program("two", "id"));
    await fine(rehearsal.up());
    rehearsal.session.use(program("three", "id"));
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual(["update k"]);
  });
});

describe("an object of a release", () => {
  const program =
    (version: string): PulumiFn =>
    () => {
      const provider = new kubernetes.Provider("k", { kubeconfig: "one", clusterIdentifier: "r" });
      const manifest = { apiVersion: `example.com/${version}`, kind: "Thing", metadata: { name: "thing" } };
      manifestObject("thing", manifest, { provider });
      return Promise.resolve({});
    };

  test("is changed in place when its kind goes on to another version", async () => {
    rehearsal = await open(program("v1beta1"));
    const host = rehearsal.world.host("h");
    const cluster = rehearsal.world.addCluster("r", "authority", { token: "", agentPassword: "" });
    Object.assign(host.k3s, { running: true, cluster });
    cluster.members.set("h", host);
    await fine(rehearsal.up());
    rehearsal.session.use(program("v1"));
    expect(stepsOf(await fine(rehearsal.up()))).toEqual(["update thing"]);
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  });
});

describe("settings", () => {
  test("an encrypted value inside an object arrives as a secret placeholder", async () => {
    const text =
      'config: { "hybrid-k3s:backups": { bucket: b, secretKey: { secure: v1:abc }, keys: [ { secure: v1:abc } ] } }';
    rehearsal = await open(() => {
      const backups = new pulumi.Config("hybrid-k3s").requireSecretObject("backups");
      return Promise.resolve({ backups });
    }, text);
    await fine(rehearsal.up());
    expect((await rehearsal.session.outputs())["backups"]).toEqual({
      secret: true,
      value: { bucket: "b", secretKey: PLACEHOLDER, keys: [PLACEHOLDER] },
    });
  });
});
