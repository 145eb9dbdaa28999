import * as pulumi from "@pulumi/pulumi";
import sshpk from "sshpk";
import { beforeEach, describe, expect, test } from "vitest";
import { loadLoginKey, loadMeshCredentials, loadSettings } from "../../stacks/settings.ts";
import { placeholderKey } from "../../rehearsal/engine/placeholder-key.ts";
import { goodFixture, problemsOf } from "./settings-fixtures.ts";

const config = new pulumi.Config("hybrid-k3s");
const PRIVATE_KEY = placeholderKey("settings").trim();
const ENCRYPTED_KEY = sshpk.parsePrivateKey(PRIVATE_KEY, "pem").toString("openssh", { passphrase: "hunter2" });

/** Hands settings over the way the engine does: objects as JSON. */
function give(values: Readonly<Record<string, unknown>>, secretKeys: readonly string[] = []): void {
  const all = Object.entries({ ...goodFixture("minimal").settings, ...values }).map(([key, value]) => [
    key.includes(":") ? key : `hybrid-k3s:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(
    Object.fromEntries(all) as Record<string, string>,
    secretKeys.map((key) => `hybrid-k3s:${key}`),
  );
}

beforeEach(() => {
  give({});
});

describe("the stack's settings", () => {
  test("are read with regions.yaml", () => {
    expect(loadSettings(config)).toMatchObject({ region: "tokyo", plan: { id: 1, pods: "10.66.0.0/16" } });
  });

  test("of other namespaces are none of ours, and the private key is read on its own", () => {
    give({
      "aws:region": "ap-northeast-1",
      "pulumi:disable-default-providers": ["kubernetes"],
      sshPrivateKey: PRIVATE_KEY,
    });
    expect(loadSettings(config).region).toBe("tokyo");
  });

  test("with a typing error are found although nothing asks for them by name", () => {
    give({ platfrom: {} });
    expect(() => loadSettings(config)).toThrow(
      "platfrom: found an unknown key · allowed accept, hostFirewall, kubernetes, mesh, platform",
    );
  });

  test("with a cloud's token in plain text are refused, without the token; encrypted they are read", () => {
    const { sites } = goodFixture("hetzner").settings as { sites: { cloud: { token: string } } };
    give({ sites });
    expect(() => loadSettings(config)).toThrow("sites.cloud.token: found plain text (not shown) · allowed a token of");
    expect(() => loadSettings(config)).not.toThrow(sites.cloud.token);
    give({ sites }, ["sites"]);
    expect(loadSettings(config).sites).toMatchObject([{ token: sites.cloud.token }]);
  });

  test("with a credential of the mesh in plain text are refused, without it; encrypted they are read as secrets", async () => {
    const mesh = { provider: "tailscale", oauthClientId: "kABC", oauthClientSecret: "hunter2" };
    give({ mesh });
    expect(() => loadSettings(config)).toThrow(
      "mesh.oauthClientSecret: found plain text (not shown) · allowed the secret",
    );
    expect(() => loadSettings(config)).not.toThrow("hunter2");
    give({ mesh }, ["mesh"]);
    expect(loadSettings(config).mesh).toMatchObject({ provider: "tailscale", tag: "tag:k3s-tokyo" });
    const credentials = loadMeshCredentials(config);
    expect(Object.keys(credentials)).toEqual(["clientId", "clientSecret"]);
    expect(await pulumi.isSecret(credentials.clientSecret!)).toBe(true);
    expect(await new Promise((resolve) => credentials.clientSecret!.apply(resolve))).toBe("hunter2");
  });

  test("with one secret in plain text beside an encrypted one are refused: the engine knows of the whole object alone", () => {
    const bucket = { bucket: "acme", accessKeyId: "hunter1", secretAccessKey: "hunter2" };
    give({ platform: { velero: { bucket } } }, ["platform"]);
    const [problem, ...others] = problemsOf(() => loadSettings(config, (path) => path.at(-1) === "secretAccessKey"));
    expect(others).toEqual([]);
    expect(problem).toContain(
      "platform.velero.bucket.secretAccessKey: found plain text (not shown) · allowed a secret",
    );
    expect(problemsOf(() => loadSettings(config, () => false))).toEqual([]);
  });

  test("with a release's secrets in plain text are refused, each at its place and beside what else is wrong; encrypted they are read", () => {
    const backups = { bucket: "acme", accessKeyId: "hunter1", secretAccessKey: "hunter2" };
    const platform = { postgres: { clusters: { main: { backups } } }, velero: { bucket: { ...backups, prefix: "" } } };
    const refused = (path: string): string =>
      `platform.${path}: found plain text (not shown) · allowed a secret text, encrypted · fix: pulumi config set --secret --path 'hybrid-k3s:platform.${path}'`;
    give({ platform });
    const problems = problemsOf(() => loadSettings(config));
    expect(problems).toEqual([
      expect.stringMatching(/^platform\.velero\.bucket\.prefix: found "" /),
      ...["accessKeyId", "secretAccessKey"].map((key) => refused(`postgres.clusters.main.backups.${key}`)),
      ...["accessKeyId", "secretAccessKey"].map((key) => refused(`velero.bucket.${key}`)),
    ]);
    expect(problems.join("\n")).not.toMatch(/hunter/);
    give({ platform: { postgres: platform.postgres } }, ["platform"]);
    expect(loadSettings(config).platform).toMatchObject({ postgres: { clusters: { main: { backups } } } });
  });

  test("with a secret that is wrong and in plain text say the first alone", () => {
    give({ platform: { "gitlab-runner": { url: "https://gitlab.example.net", token: 12345678 } } });
    expect(problemsOf(() => loadSettings(config))).toEqual([
      "platform.gitlab-runner.token: found a number that is not shown · allowed a secret text, encrypted · fix: pulumi config set --secret --path 'hybrid-k3s:platform.gitlab-runner.token'",
    ]);
  });

  test("without a mesh, or with one whose credentials the environment has, hold none", () => {
    expect(loadMeshCredentials(config)).toEqual({});
    give({ mesh: { provider: "netbird", operators: ["ops"] } });
    expect(loadSettings(config).mesh).toMatchObject({ provider: "netbird" });
    expect(loadMeshCredentials(config)).toEqual({});
  });

  test("that are a text where an object belongs are shown as that text", () => {
    give({ mesh: "none" });
    expect(() => loadSettings(config)).toThrow('mesh: found "none" · allowed an object with a provider');
  });

  test("a region whose name is a number stays a text", () => {
    give({ region: "5" });
    expect(() => loadSettings(config)).toThrow('region: found "5"');
  });

  test("with an encrypted part are not shown", () => {
    give({ kubernetes: { version: "hunter2" } }, ["kubernetes"]);
    expect(() => loadSettings(config)).toThrow(
      "kubernetes.version: found a value that is not shown, for this setting holds a secret",
    );
  });
});

describe("the SSH private key", () => {
  const FIX =
    "allowed an encrypted SSH private key · fix: pulumi config set --secret hybrid-k3s:sshPrivateKey < ~/.ssh/id_ed25519";

  test.each([
    ["missing", undefined, "nothing"],
    ["empty, as Pulumi.yaml's default is", "", "nothing"],
    ["a path", "~/.ssh/id_ed25519", "something else than a private key (not shown)"],
    ["a public key", "ssh-ed25519 AAAA", "something else than a private key (not shown)"],
  ])("is refused when %s", (_, value, found) => {
    give(value === undefined ? {} : { sshPrivateKey: value }, ["sshPrivateKey"]);
    expect(() => loadLoginKey(config)).toThrow(`sshPrivateKey: found ${found} · ${FIX}`);
  });

  test.each([
    ["is protected by a passphrase", ENCRYPTED_KEY, "a private key with a passphrase"],
    [
      "is damaged",
      "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
      "a private key that cannot be read",
    ],
  ])("is refused when it %s", (_, value, found) => {
    give({ sshPrivateKey: value }, ["sshPrivateKey"]);
    expect(() => loadLoginKey(config)).toThrow(
      `sshPrivateKey: found ${found} (not shown) · allowed an encrypted SSH private key without a passphrase of its own · fix: `,
    );
  });

  test("before this one is read too, and held to the same", async () => {
    give({ sshPrivateKey: PRIVATE_KEY, previousSshPrivateKey: placeholderKey("old") }, [
      "sshPrivateKey",
      "previousSshPrivateKey",
    ]);
    expect(await pulumi.isSecret(loadLoginKey(config).previous!)).toBe(true);
    give({ sshPrivateKey: PRIVATE_KEY, previousSshPrivateKey: "~/.ssh/old" }, [
      "sshPrivateKey",
      "previousSshPrivateKey",
    ]);
    expect(() => loadLoginKey(config)).toThrow("previousSshPrivateKey: found something else than a private key");
  });

  test("is refused in plain text", () => {
    give({ sshPrivateKey: PRIVATE_KEY });
    expect(() => loadLoginKey(config)).toThrow(`sshPrivateKey: found a private key in plain text (not shown) · ${FIX}`);
  });

  test("is a secret, and ends with the line break that OpenSSH needs", async () => {
    give({ sshPrivateKey: PRIVATE_KEY }, ["sshPrivateKey"]);
    const { privateKey, publicKey, digest } = loadLoginKey(config);
    expect(await pulumi.isSecret(privateKey)).toBe(true);
    expect(await new Promise((resolve) => privateKey.apply(resolve))).toBe(`${PRIVATE_KEY}\n`);
    expect(publicKey).toMatch(/^ssh-ed25519 [A-Za-z0-9+/=]+$/);
    expect(digest).toMatch(/^[0-9a-f]{8}$/);
  });
});
