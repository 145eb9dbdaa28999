import { readFileSync } from "node:fs";
import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { JoinKey } from "../../components/mesh/resources/join-key.ts";
import { MeshProvider } from "../../components/mesh/resources/mesh-provider.ts";
import { TailnetPolicy, type TailnetPolicyArgs } from "../../components/mesh/resources/tailnet-policy.ts";
import { TailnetStandIn } from "../../rehearsal/mesh/tailnet.ts";
import { openMesh, type MeshSession } from "../support/mesh-session.ts";
import { fine, stepsOf } from "./sample.ts";

// The policy file of a tailnet through the real engine: what a person wrote has to survive byte for byte.
const file = new URL("../fixtures/policies/hand-written.hujson", import.meta.url);
// Without the line that other tests need: a tag of that name by hand.
const THEIRS = readFileSync(file, "utf8").replace(/.*made by hand\n/, "");

let tailnet: TailnetStandIn;
let mesh: MeshSession;

beforeEach(async () => {
  tailnet = new TailnetStandIn();
  tailnet.policy = THEIRS;
  await tailnet.serve();
});
afterEach(async () => {
  await mesh.session.close();
  await tailnet.stop();
});

type Mode = NonNullable<TailnetPolicyArgs["mode"]>;
interface Plan {
  readonly mode?: Mode;
  readonly owners?: readonly string[];
  readonly lan?: string;
  readonly apiKey?: string;
}

/** Regions that share a tailnet: each needs lines in its policy before a key may carry its tag. */
const regions =
  ({ mode = "merge", owners = ["tokyo"], lan = "172.26.0.0/16", apiKey = tailnet.apiKey }: Plan): PulumiFn =>
  () => {
    const credential = apiKey === "" ? {} : { apiKey };
    const provider = new MeshProvider("control", { control: "tailscale", url: tailnet.url, ...credential });
    for (const owner of owners) {
      const tag = `tag:k3s-${owner}`;
      const parts = {
        tagOwners: { [tag]: ["group:ops"] },
        autoApprovers: { routes: { [lan]: [tag] } },
        grants: [{ src: [tag], dst: [tag, lan], ip: ["*"] }],
      };
      const policy = new TailnetPolicy(`${owner}-policy`, { mode, parts, owner }, { provider });
      const key = { machine: `${owner}-a`, region: owner, tags: [tag], life: "1" };
      new JoinKey(`${owner}-a-key`, key, { provider, dependsOn: [policy] });
    }
    return Promise.resolve({});
  };

async function open(plan: Plan): Promise<void> {
  mesh = await openMesh({ program: regions(plan), now: () => tailnet.clock.now() });
}
const run = async (command: "up" | "preview", plan: Plan): Promise<string[]> => {
  mesh.session.use(regions(plan));
  return stepsOf(await fine(mesh.session[command]()));
};
const failure = async (plan: Plan): Promise<string> => {
  mesh.session.use(regions(plan));
  return (await mesh.session.up()).failure ?? "";
};
const isOurs = (line: string): boolean => line.includes("// hybrid-k3s");
const ours = (): string[] => tailnet.policy.split("\n").filter(isOurs);
const without = (text: string): string =>
  text
    .split("\n")
    .filter((line) => !isOurs(line))
    .join("\n");
const writes = (): number => tailnet.server.requests.filter((request) => request.startsWith("POST")).length;

test("merge: lines come, change, heal and go; comments and other people's edits stay byte for byte", async () => {
  await open({});
  expect(await run("up", {})).toEqual(["create control", "create tokyo-a-key", "create tokyo-policy"]);
  expect(ours().map((line) => line.trim())).toEqual([
    '"tag:k3s-tokyo": ["group:ops"], // hybrid-k3s:tokyo',
    '"172.26.0.0/16": ["tag:k3s-tokyo"], // hybrid-k3s:tokyo',
    '{ "src": ["tag:k3s-tokyo"], "dst": ["tag:k3s-tokyo", "172.26.0.0/16"], "ip": ["*"] }, // hybrid-k3s:tokyo',
  ]);
  expect(without(tailnet.policy)).toBe(THEIRS);
  expect(await run("preview", {})).toEqual([]);
  // Somebody edits the file: a line of theirs comes, one of ours is lost.
  const theirs = THEIRS.replace("// machines: none yet", "// machines: ask Ann");
  const lost = /\n.*172\.26\.0\.0\/16": \["tag:k3s-tokyo"\].*/;
  tailnet.policy = tailnet.policy.replace("// machines: none yet", "// machines: ask Ann").replace(lost, "");
  expect(await run("preview", {})).toEqual(["update tokyo-policy"]);
  await run("up", {});
  expect([ours().length, without(tailnet.policy)]).toEqual([3, theirs]);
  expect(await run("up", { lan: "172.27.0.0/16" })).toEqual(["update tokyo-policy"]);
  expect(tailnet.policy).not.toContain("172.26.");
  expect([ours().length, without(tailnet.policy)]).toEqual([3, theirs]);
  await fine(mesh.session.destroy());
  expect(tailnet.policy).toBe(theirs);
});

test("two regions write into one file at once; each takes out its own", async () => {
  const owners = ["osaka", "tokyo"];
  await open({ owners });
  await run("up", { owners });
  // Two each, and the line of the range that they share.
  expect(ours()).toHaveLength(5);
  expect(without(tailnet.policy)).toBe(THEIRS);
  const gone = ["delete osaka-a-key", "delete osaka-policy"];
  expect(await run("up", { owners: ["tokyo"] })).toEqual(gone);
  expect(ours()).toHaveLength(3);
  expect(tailnet.policy).not.toContain("osaka");
  expect(await run("preview", { owners: ["tokyo"] })).toEqual([]);
  await fine(mesh.session.destroy());
  expect(tailnet.policy).toBe(THEIRS);
});

test("managed: the whole file is ours, and what stood before comes back in the end or with another mode", async () => {
  await open({ mode: "managed" });
  await run("up", { mode: "managed" });
  expect(tailnet.policy).toContain("(mesh.policy: managed)");
  const whole = tailnet.policy;
  tailnet.policy = whole.replace('"grants"', '"grants" /* mine */');
  expect(await run("preview", { mode: "managed" })).toEqual(["update tokyo-policy"]);
  await run("up", { mode: "managed" });
  expect(tailnet.policy).toBe(whole);
  await run("up", { mode: "merge" });
  expect([ours().length, without(tailnet.policy)]).toEqual([3, THEIRS]);
  await run("up", { mode: "managed" });
  expect(tailnet.policy).toBe(whole);
  await fine(mesh.session.destroy());
  expect(tailnet.policy).toBe(THEIRS);
});

test("external: nothing is written; what is missing is listed, before the first key and whenever it goes", async () => {
  const mode = "external";
  await open({ mode });
  const said = await failure({ mode });
  expect(said).toContain("the policy file lacks 3 of the lines that the region tokyo needs (mesh.policy: external)");
  expect(said).toContain('in tagOwners:\n  "tag:k3s-tokyo": ["group:ops"],\nin autoApprovers.routes:\n');
  expect([writes(), tailnet.keys.size]).toEqual([0, 0]);
  const route = '\t\t\t"172.26.0.0/16": ["tag:k3s-tokyo"],\n';
  const theirs = THEIRS.replace('\t"tagOwners": {\n', '\t"tagOwners": {\n\t\t"tag:k3s-tokyo": ["group:ops"],\n')
    .replace('\t\t"routes": {\n', `\t\t"routes": {\n${route}`)
    .replace('\t"grants": [\n', '\t"grants": [\n\t\t{"src": ["tag:k3s-tokyo"], "dst": ["*"], "ip": ["*"]},\n');
  tailnet.policy = theirs;
  await run("up", { mode });
  expect(await run("preview", { mode })).toEqual([]);
  tailnet.policy = theirs.replace(route, "");
  expect(await run("preview", { mode })).toEqual(["update tokyo-policy"]);
  expect(await failure({ mode })).toContain("the policy file lacks 1 of the lines");
  // What was not looked at is said, and shown as no change.
  expect(await run("preview", { mode, apiKey: "" })).toEqual(["update control"]);
  await fine(mesh.session.destroy());
  expect(tailnet.policy).toBe(theirs.replace(route, ""));
  expect(writes()).toBe(1);
});
