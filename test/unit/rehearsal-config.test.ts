import { expect, test } from "vitest";
import { mergeConfig, readEdit, readStackConfig } from "../../rehearsal/engine/stack-config.ts";

test("encrypted values become placeholders, at any depth, and the rest stays", () => {
  const { plain, secret } = readStackConfig(
    `
encryptionsalt: v1:abc
config:
  hybrid-k3s:region: tokyo
  hybrid-k3s:sshPrivateKey: { secure: v1:one }
  hybrid-k3s:backups: { bucket: b, keys: [{ secure: v1:two }], secretKey: { secure: v1:three } }
  mesh: { provider: none }
`,
    "hybrid-k3s",
  );
  expect(plain).toEqual({
    "hybrid-k3s:region": "tokyo",
    "hybrid-k3s:backups": { bucket: "b", keys: ["placeholder"] },
    "hybrid-k3s:mesh": { provider: "none" },
  });
  expect(Object.keys(secret)).toEqual([
    "hybrid-k3s:sshPrivateKey",
    'hybrid-k3s:backups["keys"][0]',
    'hybrid-k3s:backups["secretKey"]',
  ]);
  expect(secret["hybrid-k3s:sshPrivateKey"]).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  expect(secret['hybrid-k3s:backups["secretKey"]']).toBe("placeholder");
});

test("a file without a login key gets a placeholder, and one that holds it in plain text keeps it for the program to refuse", () => {
  expect(Object.keys(readStackConfig("config: {}", "hybrid-k3s").secret)).toEqual(["hybrid-k3s:sshPrivateKey"]);
  expect(readStackConfig("config: { hybrid-k3s:sshPrivateKey: plain }", "hybrid-k3s").secret).toEqual({});
});

test("an edit is merged key by key; null deletes, lists are replaced, and the base stays as it is", () => {
  const base = { sites: { a: { x: 1, y: [1, 2] }, b: {} }, other: 1 };
  expect(mergeConfig(base, { sites: { a: { y: [3], z: 2 }, b: null, c: { n: null } } })).toEqual({
    sites: { a: { x: 1, y: [3], z: 2 }, c: {} },
    other: 1,
  });
  expect(base).toEqual({ sites: { a: { x: 1, y: [1, 2] }, b: {} }, other: 1 });
});

test("an edit may be written with or without config: and namespace", () => {
  expect(readEdit("config: { hybrid-k3s:region: a }", "hybrid-k3s")).toEqual({ "hybrid-k3s:region": "a" });
  expect(readEdit("region: a", "hybrid-k3s")).toEqual({ "hybrid-k3s:region": "a" });
  expect(() => readEdit("just text", "hybrid-k3s")).toThrow("this is not an edit");
});

test.each([
  ["config: {a: [\n", /^this is not YAML: /],
  ["- a list\n", /^this is not a stack file: /],
])("a stack file that is none is refused in words: %j", (text, message) => {
  expect(() => readStackConfig(text, "hybrid-k3s")).toThrow(message);
});
