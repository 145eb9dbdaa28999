import { expect, test } from "vitest";
import {
  mergeConfig,
  PLACEHOLDER,
  placedSecrets,
  readEdit,
  readStackConfig,
  secretsBeside,
  takeEncrypted,
  wholeConfig,
} from "../../rehearsal/engine/stack-config.ts";
import { parseSettings } from "../../stacks/settings.ts";
import { goodFixture } from "./settings-fixtures.ts";

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
    "hybrid-k3s:backups": { bucket: "b", keys: [PLACEHOLDER] },
    "hybrid-k3s:mesh": { provider: "none" },
  });
  expect(Object.keys(secret)).toEqual([
    "hybrid-k3s:sshPrivateKey",
    'hybrid-k3s:backups["keys"][0]',
    'hybrid-k3s:backups["secretKey"]',
  ]);
  expect(secret["hybrid-k3s:sshPrivateKey"]).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  expect(secret['hybrid-k3s:backups["secretKey"]']).toBe(PLACEHOLDER);
});

test("placeholders stand where the encrypted values stood, and go with what held them", () => {
  const text = `
config:
  mesh: { provider: netbird, token: { secure: v1:zero } }
  hybrid-k3s:platform:
    one: { "a.b": [{ key: { secure: v1:one } }, { secure: v1:two }] }
    two: { key: { secure: v1:three } }
`;
  const config = readStackConfig(text, "hybrid-k3s");
  expect(wholeConfig(config)).toEqual({
    "hybrid-k3s:mesh": { provider: "netbird", token: PLACEHOLDER },
    "hybrid-k3s:platform": {
      one: { "a.b": [{ key: PLACEHOLDER }, PLACEHOLDER] },
      two: { key: PLACEHOLDER },
    },
    "hybrid-k3s:sshPrivateKey": expect.stringMatching(/^-----BEGIN/) as string,
  });
  const plain = mergeConfig(config.plain, { "hybrid-k3s:platform": { one: null } }) as typeof config.plain;
  expect(Object.keys(placedSecrets({ ...config, plain }))).toEqual([
    'hybrid-k3s:mesh["token"]',
    'hybrid-k3s:platform["two"]["key"]',
    "hybrid-k3s:sshPrivateKey",
  ]);
  expect(wholeConfig({ ...config, plain })["hybrid-k3s:platform"]).toEqual({ two: { key: PLACEHOLDER } });
});

test("an edit takes an encrypted value away by null, and puts a plain one in its place; beside it they stay", () => {
  const config = readStackConfig(
    `
config:
  hybrid-k3s:mesh: { provider: tailscale, apiKey: { secure: v1:zero }, oauthClientSecret: { secure: v1:one } }
  hybrid-k3s:sites: { cloud: { token: { secure: v1:two } } }
`,
    "hybrid-k3s",
  );
  const left = (edit: Record<string, unknown>): string[] =>
    Object.keys(secretsBeside(config, edit)).filter((path) => path !== "hybrid-k3s:sshPrivateKey");
  const [apiKey, clientSecret, token] = left({});
  expect(left({ "hybrid-k3s:mesh": { apiKey: null } })).toEqual([clientSecret, token]);
  expect(left({ "hybrid-k3s:mesh": { apiKey: "plain" } })).toEqual([clientSecret, token]);
  expect(left({ "hybrid-k3s:mesh": { provider: "netbird" } })).toEqual([apiKey, clientSecret, token]);
  expect(left({ "hybrid-k3s:mesh": null, "hybrid-k3s:sites": { cloud: "none" } })).toEqual([]);
});

test("a placeholder has the form of the strictest secret", () => {
  const { settings } = goodFixture("hetzner");
  const sites = { cloud: { ...(settings["sites"] as { cloud: object }).cloud, token: PLACEHOLDER } };
  expect(() => parseSettings({ ...settings, sites }, { regions: { tokyo: { id: 1 } } })).not.toThrow();
});

test("an edit's encrypted values are taken out like a file's, and its keys have the form of keys", () => {
  const edit = { "hybrid-k3s:platform": { one: { key: { secure: "v1:one" }, size: 1 } } };
  expect(takeEncrypted(edit)).toEqual({
    plain: { "hybrid-k3s:platform": { one: { size: 1 } } },
    secret: { 'hybrid-k3s:platform["one"]["key"]': PLACEHOLDER },
  });
  const keys = takeEncrypted({ "hybrid-k3s:previousSshPrivateKey": { secure: "v1:two" } }).secret;
  expect(keys["hybrid-k3s:previousSshPrivateKey"]).toMatch(/^-----BEGIN PRIVATE KEY-----/);
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
