import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "jsonc-parser";
import { describe, expect, test } from "vitest";
import { unsaidLines } from "../../provider/policy/covered.ts";
import { linesOf, partsOf, type PolicyParts } from "../../provider/policy/lines.ts";
import { mergeLines, missingLines, remergeLines, unmergeLines } from "../../provider/policy/merge.ts";
import { describeLines, renderPolicy } from "../../provider/policy/render.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/policies");
const files = Object.fromEntries(
  readdirSync(FOLDER).map((name) => [name.replace(".hujson", ""), readFileSync(join(FOLDER, name), "utf8")]),
);
const handWritten = files["hand-written"]!;

const tokyo = (route = "172.26.0.0/16"): PolicyParts =>
  partsOf({
    tagOwners: { "tag:k3s-tokyo": ["autogroup:admin"], "tag:relay-tokyo": ["autogroup:admin"] },
    autoApprovers: { routes: { [route]: ["tag:k3s-tokyo"], "192.168.0.0/16": ["tag:k3s-tokyo"] } },
    grants: [
      { src: ["tag:k3s-tokyo"], dst: ["tag:k3s-tokyo"], ip: ["*"] },
      { src: ["group:ops"], dst: ["tag:k3s-tokyo"], ip: ["tcp:22", "tcp:6443"] },
    ],
    nodeAttrs: [{ target: ["tag:k3s-tokyo"], attr: ["disable-captive-portal-detection"] }],
  });
const lines = linesOf(tokyo());
const standard = (text: string): unknown => parse(text, [], { allowTrailingComma: true });
/** Without lists and objects that hold nothing. */
const withoutEmpty = (value: unknown): unknown => {
  if (Array.isArray(value) || typeof value !== "object" || value === null) return value;
  const parts = Object.entries(value).map(([name, part]): [string, unknown] => [name, withoutEmpty(part)]);
  return Object.fromEntries(
    parts.filter(([, part]) => typeof part !== "object" || Object.keys(part as object).length > 0),
  );
};
const withoutOurs = (text: string): string[] => text.split("\n").filter((line) => !line.includes("hybrid-k3s:tokyo"));

describe.each(Object.entries(files))("merge into %s", (_name, text) => {
  const merged = mergeLines(text, lines, "tokyo");

  test("puts every line in, once, and the result is JSON with comments", () => {
    expect(missingLines(merged.text, lines)).toEqual([]);
    const again = mergeLines(merged.text, lines, "tokyo");
    expect(again).toEqual({ text: merged.text, added: [], keptOpen: false });
  });

  test("keeps every comment and the order of what was there", () => {
    const comments = text.match(/\/\/ .*|\/\*.*?\*\//g) ?? [];
    let from = 0;
    for (const comment of comments) {
      const at = merged.text.indexOf(comment, from);
      expect(at, comment).toBeGreaterThanOrEqual(from);
      from = at + comment.length;
    }
  });

  test("is taken back without a trace in what the file says", () => {
    const back = unmergeLines(merged.text, merged.added);
    expect(back).not.toContain("hybrid-k3s:tokyo");
    const before = standard(text) as object;
    // What an absent section allowed stays allowed in words.
    const open = merged.keptOpen ? { grants: [{ src: ["*"], dst: ["*"], ip: ["*"] }] } : {};
    expect(standard(back)).toEqual({ ...before, ...open });
  });
});

test("a hand-written file comes back byte for byte, and its lines are only added to", () => {
  const merged = mergeLines(handWritten, lines, "tokyo");
  expect(merged.text).toMatchSnapshot();
  expect(unmergeLines(merged.text, merged.added)).toBe(handWritten);
  const kept = withoutOurs(merged.text).join("\n");
  for (const line of handWritten.split("\n").filter((entry) => entry.includes("//"))) {
    // Two lists of one line got an entry: their lines are the only ones that differ.
    if (!/"tag:k3s-tokyo"|"192\.168/.test(line)) expect(kept).toContain(line);
  }
});

test("what somebody had written already is not ours, and stays when our lines go", () => {
  const theirs = handWritten.replace('"tag:k3s-tokyo": ["group:ops"]', '"tag:k3s-tokyo": ["autogroup:admin"]');
  const merged = mergeLines(theirs, lines, "tokyo");
  expect(merged.added).not.toContainEqual({ path: ["tagOwners", "tag:k3s-tokyo"], value: "autogroup:admin" });
  expect(unmergeLines(merged.text, merged.added)).toBe(theirs);
});

test("another route replaces the old line, and touches nothing else", () => {
  const first = mergeLines(handWritten, lines, "tokyo");
  const second = remergeLines(first.text, first.added, linesOf(tokyo("172.27.0.0/16")), "tokyo");
  expect(second.text).not.toContain("172.26.0.0/16");
  expect(missingLines(second.text, linesOf(tokyo("172.27.0.0/16")))).toEqual([]);
  const changed = second.text.split("\n").filter((line) => !first.text.split("\n").includes(line));
  expect(changed).toEqual(['\t\t\t"172.27.0.0/16": ["tag:k3s-tokyo"], // hybrid-k3s:tokyo']);
  expect(unmergeLines(second.text, second.added)).toBe(handWritten);
});

test("two regions merge into one file, and each takes out its own", () => {
  const osaka = linesOf(
    partsOf({
      tagOwners: { "tag:k3s-osaka": ["group:ops"] },
      grants: [{ src: ["tag:k3s-osaka"], dst: ["tag:k3s-osaka"], ip: ["*"] }],
    }),
  );
  const first = mergeLines(handWritten, lines, "tokyo");
  const both = mergeLines(first.text, osaka, "osaka");
  const rest = unmergeLines(both.text, first.added);
  expect(missingLines(rest, osaka)).toEqual([]);
  expect(unmergeLines(rest, both.added)).toBe(handWritten);
});

test.each(Object.entries(files))(
  "two regions in one list and in sections made for them leave nothing: %s",
  (name, text) => {
    const osaka = linesOf(
      partsOf({
        tagOwners: { "tag:k3s-osaka": ["autogroup:admin"] },
        autoApprovers: { routes: { "172.26.0.0/16": ["tag:k3s-osaka"] } },
        grants: [{ src: ["tag:k3s-osaka"], dst: ["tag:k3s-osaka"], ip: ["*"] }],
      }),
    );
    const first = mergeLines(text, lines, "tokyo");
    const both = mergeLines(first.text, osaka, "osaka");
    for (const order of [
      [first.added, both.added],
      [both.added, first.added],
    ] as const) {
      const [left, rest] = [order[0] === first.added ? osaka : lines, unmergeLines(both.text, order[0])];
      expect(missingLines(rest, left)).toEqual([]);
      expect(rest).not.toContain(order[0] === first.added ? "hybrid-k3s:tokyo" : "hybrid-k3s:osaka");
      const [back, alone] = [unmergeLines(rest, order[1]), unmergeLines(first.text, first.added)];
      // A section on one line has no room for our mark, and may stay behind empty.
      if (["one-line", "comments-everywhere"].includes(name))
        expect(withoutEmpty(standard(back))).toEqual(withoutEmpty(standard(alone)));
      else expect(back).toBe(alone);
    }
  },
);

test("a file that allows everything by saying nothing goes on allowing it", () => {
  const { text, keptOpen } = mergeLines(files["empty-object"]!, lines, "tokyo");
  expect(keptOpen).toBe(true);
  expect((standard(text) as { grants: unknown[] }).grants[0]).toEqual({ src: ["*"], dst: ["*"], ip: ["*"] });
  expect(mergeLines(files["acls-only"]!, lines, "tokyo").keptOpen).toBe(false);
  expect(mergeLines(files["old-style"]!, lines, "tokyo").keptOpen).toBe(false);
});

test("older files spell their sections otherwise: no second section is made", () => {
  const { text } = mergeLines(files["old-style"]!, lines, "tokyo");
  expect(text).not.toContain('"tagOwners"');
  expect(text).not.toContain('"autoApprovers"');
});

test.each([
  ["{ grants: [] }", "line 1"],
  ['{\n  "grants": [\n', "line"],
  ["[]", "not an object"],
])("a file that cannot be read is refused: %s", (text, words) => {
  expect(() => mergeLines(text, lines, "tokyo")).toThrow(words);
});

test("something else in the place of a list is refused", () => {
  expect(() => mergeLines('{ "grants": {} }', lines, "tokyo")).toThrow("grants in the policy file is not a list");
  expect(() => mergeLines('{ "tagOwners": [] , "grants": [] }', lines, "tokyo")).toThrow(
    "tagOwners in the policy file is not an object",
  );
});

describe("external", () => {
  test("wider words say it too: a wider range, a grant for everything, an old rule for everything", () => {
    const wide = handWritten.replace(
      '"192.168.0.0/16": ["tag:nas"]',
      '"172.16.0.0/12": ["tag:k3s-tokyo"], "192.168.0.0/16": ["tag:k3s-tokyo"]',
    );
    expect(unsaidLines(wide, lines).map(({ path }) => path.join("."))).toEqual([
      "tagOwners.tag:k3s-tokyo",
      "tagOwners.tag:relay-tokyo",
      "grants",
      "nodeAttrs",
    ]);
    expect(
      unsaidLines(files["acls-only"]!, linesOf({ ...tokyo(), nodeAttrs: [] })).map(({ path }) => path[0]),
    ).not.toContain("grants");
  });

  test("what is missing is listed as it has to be written", () => {
    expect(describeLines(unsaidLines(handWritten, lines))).toMatchInlineSnapshot(`
      "in tagOwners:
        "tag:k3s-tokyo": ["autogroup:admin"],
        "tag:relay-tokyo": ["autogroup:admin"],
      in autoApprovers.routes:
        "172.26.0.0/16": ["tag:k3s-tokyo"],
        "192.168.0.0/16": ["tag:k3s-tokyo"],
      in grants:
        { "src": ["tag:k3s-tokyo"], "dst": ["tag:k3s-tokyo"], "ip": ["*"] },
      in nodeAttrs:
        { "target": ["tag:k3s-tokyo"], "attr": ["disable-captive-portal-detection"] },"
    `);
  });
});

test("a whole file of ours is readable, and holds every line", () => {
  expect(renderPolicy(tokyo(), "tokyo")).toMatchSnapshot();
  expect(missingLines(renderPolicy(tokyo(), "tokyo"), lines)).toEqual([]);
});
