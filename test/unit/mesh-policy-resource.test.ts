import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TailnetStandIn } from "../../rehearsal/mesh/tailnet.ts";
import type { Lived } from "../support/mesh-operation.ts";
import { heardFrom, meshTypes, wordsOf } from "../support/mesh-types.ts";

// A region's part of its tailnet's policy file, through its life, in a file that somebody wrote by hand.
const handWritten = readFileSync(join(import.meta.dirname, "../fixtures/policies/hand-written.hujson"), "utf8");

const partsOf = (region: string, route: string) => ({
  tagOwners: { [`tag:k3s-${region}`]: ["autogroup:admin"] },
  autoApprovers: { routes: { [route]: [`tag:k3s-${region}`] } },
  grants: [{ src: [`tag:k3s-${region}`], dst: [`tag:k3s-${region}`], ip: ["*"] }],
});
const tokyo = { owner: "tokyo", parts: partsOf("tokyo", "172.26.0.0/16") };
const osaka = { owner: "osaka", parts: partsOf("osaka", "172.28.0.0/16") };

let tailnet: TailnetStandIn;
beforeEach(async () => {
  tailnet = new TailnetStandIn();
  tailnet.policy = handWritten;
  await tailnet.serve();
});
afterEach(() => tailnet.stop());

const { typed, lived } = meshTypes({
  configuration: () => ({ control: "tailscale", url: tailnet.url, apiKey: tailnet.apiKey }),
});
const created = async (inputs: object): Promise<Lived> => {
  const policy = lived("TailnetPolicy");
  await policy.create({ ...inputs });
  return policy;
};
const ours = (region = "tokyo"): string[] =>
  tailnet.policy.split("\n").filter((line) => line.includes(`// hybrid-k3s:${region}`));
const writes = (): number => tailnet.server.requests.filter((entry) => entry.startsWith("POST")).length;

describe("merge", () => {
  test("adds its lines and marks them; its end leaves the file as it was, byte for byte", async () => {
    const policy = await created(tokyo);
    expect(policy.id).toBe("tokyo");
    expect(ours().map((line) => line.trim())).toEqual([
      '"172.26.0.0/16": ["tag:k3s-tokyo"], // hybrid-k3s:tokyo',
      '{ "src": ["tag:k3s-tokyo"], "dst": ["tag:k3s-tokyo"], "ip": ["*"] }, // hybrid-k3s:tokyo',
    ]);
    // A list of one line gets no comment, which would end the line.
    expect(tailnet.policy).toContain('"tag:k3s-tokyo": ["group:ops", "autogroup:admin"], // made by hand');
    expect(await policy.diff()).toEqual([]);
    await policy.delete();
    expect(tailnet.policy).toBe(handWritten);
  });

  test("a line that somebody takes out is seen in a preview, and comes back", async () => {
    const policy = await created(tokyo);
    const merged = tailnet.policy;
    tailnet.policy = merged.replace(/^.*"172\.26\.0\.0\/16".*\n/m, "");
    expect(tailnet.policy).not.toBe(merged);
    expect(await policy.diff()).toEqual(["parts"]);
    await policy.update();
    expect(ours()).toHaveLength(2);
    expect(await policy.diff()).toEqual([]);
    await policy.delete();
    expect(tailnet.policy).toBe(handWritten);
  });

  test("what somebody else writes is no drift, and outlives us", async () => {
    const policy = await created(tokyo);
    const mark = "// machines: none yet";
    const theirs = '{"src": ["group:ops"], "dst": ["tag:nas"], "ip": ["icmp:*"]}, // by Bob';
    tailnet.policy = tailnet.policy.replace(mark, `${theirs}\n\t\t${mark}`);
    expect(await policy.diff()).toEqual([]);
    await policy.update();
    await policy.delete();
    expect(tailnet.policy).toBe(handWritten.replace(mark, `${theirs}\n\t\t${mark}`));
  });

  test("other parts change just their lines; another owner is another resource", async () => {
    const policy = await created(tokyo);
    const before = tailnet.policy.split("\n");
    const moved = { ...tokyo, parts: partsOf("tokyo", "172.27.0.0/16") };
    expect(await policy.diff(moved)).toEqual(["parts"]);
    await policy.update(moved);
    expect(tailnet.policy.split("\n").filter((line) => !before.includes(line))).toEqual([
      '\t\t\t"172.27.0.0/16": ["tag:k3s-tokyo"], // hybrid-k3s:tokyo',
    ]);
    expect(tailnet.policy).not.toContain("172.26.0.0/16");
    expect(await policy.diff({ ...moved, owner: "osaka" })).toContain("replace");
    await policy.delete();
    expect(tailnet.policy).toBe(handWritten);
  });

  test("what stands there already is not written again", async () => {
    const first = await created(tokyo);
    tailnet.server.requests.length = 0;
    const again = await created({ ...tokyo, owner: "twin" });
    expect(again.state["added"]).toEqual([]);
    await again.delete();
    expect(writes()).toBe(0);
    expect(await first.diff()).toEqual([]);
  });

  test.each([
    ["in the order that they came", ["tokyo", "osaka"]],
    ["in the other order", ["osaka", "tokyo"]],
  ])("two regions have lines in one file, and leave it %s", async (_how, order) => {
    const regions = { tokyo: await created(tokyo), osaka: await created(osaka) };
    expect([ours("tokyo").length, ours("osaka").length]).toEqual([2, 3]);
    expect([await regions.tokyo.diff(), await regions.osaka.diff()]).toEqual([[], []]);
    const [one, other] = order as (keyof typeof regions)[];
    await regions[one!].delete();
    expect(ours(one)).toEqual([]);
    expect(await regions[other!].diff()).toEqual([]);
    await regions[other!].delete();
    expect(tailnet.policy).toBe(handWritten);
  });

  test("two regions that write at the same moment lose nothing", async () => {
    const both = await Promise.all([created(tokyo), created(osaka)]);
    expect([ours("tokyo").length, ours("osaka").length]).toEqual([2, 3]);
    // One of them had to read and write again.
    expect(writes()).toBeGreaterThan(2);
    await Promise.all(both.map((policy) => policy.delete()));
    expect(tailnet.policy).toBe(handWritten);
  });

  test("a write whose answer is lost is known to be ours: its end takes out every line", async () => {
    tailnet.server.fail({ status: 502, method: "POST", path: "/acl", late: true });
    const policy = await created(tokyo);
    expect(ours()).toHaveLength(2);
    expect(await policy.diff()).toEqual([]);
    await policy.delete();
    expect(tailnet.policy).toBe(handWritten);
  });

  test("a file that somebody writes again and again is given up on, in words", async () => {
    tailnet.server.fail({ status: 412, method: "POST", path: "/acl", times: 5 });
    expect(await wordsOf(created(tokyo))).toBe("the policy file was changed by somebody else at the same moment");
    expect(tailnet.policy).toBe(handWritten);
  });

  test("a file that allowed everything goes on doing so, and it is said", async () => {
    tailnet.policy = '{ "tagOwners": {} }';
    const policy = await created(tokyo);
    expect(heardFrom(policy)).toContain("the policy file had neither grants nor acls, which allows everything");
    expect(tailnet.policy).toContain('{ "src": ["*"], "dst": ["*"], "ip": ["*"] }');
    await policy.delete();
    expect(tailnet.policy).not.toContain("hybrid-k3s:tokyo");
    expect(tailnet.policy).toContain('{ "src": ["*"], "dst": ["*"], "ip": ["*"] }');
  });

  test("a file that cannot be read is refused, and left alone", async () => {
    tailnet.policy = "{ grants: [";
    expect(await wordsOf(created(tokyo))).toMatch(/^the policy file is not JSON with comments: .* in line 1$/);
    expect(tailnet.policy).toBe("{ grants: [");
  });
});

describe("managed", () => {
  const managed = { ...tokyo, mode: "managed" };

  test("writes the whole file, and puts the one that stood before back in the end", async () => {
    const policy = await created(managed);
    expect(tailnet.policy).toContain("what is changed here by hand is lost with the next update");
    expect(tailnet.policy).not.toContain("group:ops");
    expect(policy.state["before"]).toBe(handWritten);
    expect(await policy.diff()).toEqual([]);
    await policy.delete();
    expect(tailnet.policy).toBe(handWritten);
  });

  test("what somebody changes is seen in a preview, and gone with the next update", async () => {
    const policy = await created(managed);
    const whole = tailnet.policy;
    tailnet.policy = `${whole}// by Bob\n`;
    expect(await policy.diff()).toEqual(["parts"]);
    await policy.update();
    expect(tailnet.policy).toBe(whole);
    // The file of before is that of before our first write, whatever stood there since.
    expect(policy.state["before"]).toBe(handWritten);
  });

  test("other parts are another file", async () => {
    const policy = await created(managed);
    await policy.update({ ...managed, parts: partsOf("tokyo", "172.27.0.0/16") });
    expect(tailnet.policy).not.toContain("172.26.0.0/16");
    await policy.delete();
    expect(tailnet.policy).toBe(handWritten);
  });

  test("a file that somebody changed since is not thrown away at the end", async () => {
    const policy = await created(managed);
    const changed = `${tailnet.policy}// by Bob\n`;
    tailnet.policy = changed;
    await policy.delete();
    expect(tailnet.policy).toBe(changed);
    expect(policy.heard.warned.join()).toContain("was changed by somebody else since");
  });
});

describe("external", () => {
  const external = { ...tokyo, mode: "external" };

  test("writes nothing, and fails with all that is missing, ready to be pasted", async () => {
    const said = await wordsOf(created(external));
    expect(said).toMatch(
      /^the policy file lacks \d of the lines that the region tokyo needs \(mesh\.policy: external\)/,
    );
    expect(said).toContain("fix: add, or set mesh.policy: merge\n");
    expect(said).toContain('in autoApprovers.routes:\n  "172.26.0.0/16": ["tag:k3s-tokyo"],');
    expect([writes(), tailnet.policy]).toEqual([0, handWritten]);
  });

  test("is content with what a person wrote, tells of what goes missing, and takes nothing out at the end", async () => {
    const merged = await created(tokyo);
    const text = tailnet.policy.replaceAll(" // hybrid-k3s:tokyo", "");
    tailnet.policy = text;
    tailnet.server.requests.length = 0;
    const policy = await created(external);
    expect(await policy.diff()).toEqual([]);
    tailnet.policy = handWritten;
    expect(await policy.diff()).toEqual(["parts"]);
    expect(await wordsOf(policy.update())).toContain("the policy file lacks ");
    tailnet.policy = text;
    await policy.update();
    await policy.delete();
    expect([writes(), tailnet.policy]).toEqual([0, text]);
    expect(merged.state["added"]).not.toEqual([]);
  });
});

describe("another mode", () => {
  const modes = ["merge", "managed"] as const;

  test.each([
    ["merge", "managed"],
    ["managed", "merge"],
  ] as const)("from %s to %s and to its end: the file of before comes back", async (one, other) => {
    const policy = await created({ ...tokyo, mode: one });
    expect(await policy.diff({ ...tokyo, mode: other })).toEqual(["mode"]);
    await policy.update({ ...tokyo, mode: other });
    expect(tailnet.policy.includes("Ask ops before you change it!")).toBe(other === "merge");
    expect(await policy.diff()).toEqual([]);
    await policy.delete();
    expect(tailnet.policy).toBe(handWritten);
  });

  test.each(modes)("from %s to external our lines go, so it fails where no person wrote them", async (mode) => {
    const policy = await created({ ...tokyo, mode });
    const before = tailnet.policy;
    expect(await wordsOf(policy.update({ ...tokyo, mode: "external" }))).toContain("the policy file lacks ");
    expect(tailnet.policy).toBe(before);
    await policy.delete();
    expect(tailnet.policy).toBe(handWritten);
  });

  test("there are three, and no other", () => {
    const type = typed("TailnetPolicy")!;
    expect(type.check!({ mode: "append" })).toEqual({ mode: 'found "append" · allowed managed, merge, external' });
    expect(type.check!({ ...type.defaults })).toEqual({});
  });
});

test("a control plane without a policy file is named", async () => {
  const netbird = meshTypes({ configuration: () => ({ control: "netbird", url: tailnet.url, token: "nbp_x" }) });
  expect(await wordsOf(netbird.lived("TailnetPolicy").create(tokyo))).toBe(
    "netbird has no policy file · TailnetPolicy is for tailscale and headscale",
  );
});
