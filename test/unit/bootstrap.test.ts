import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { publicHalf } from "../../components/bootstrap/login-key.ts";
import { SSHD_CONFIG_PATH } from "../../components/bootstrap/sshd-config.ts";
import { BOOTSTRAP_MARKER, DISTRIBUTIONS, userData } from "../../components/bootstrap/user-data.ts";

const folder = mkdtempSync(join(tmpdir(), "hybrid-k3s-test-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const runs = (command: string, args: readonly string[], input = "") =>
  spawnSync(command, args, { input, encoding: "utf8", timeout: 60_000 });
const isThere = (command: string): boolean => runs(command, ["--version"]).error === undefined;
/** In CI a missing tool is a failure: what is skipped there is never seen. */
const skipsWithout = (command: string): boolean => !isThere(command) && process.env["CI"] !== "true";

let keys = 0;
/** A key pair as OpenSSH's own tool makes it. */
function keyPair(...options: string[]): { privateKey: string; publicKey: string } {
  const file = join(folder, `key-${keys++}`);
  const made = runs("ssh-keygen", ["-q", "-N", "", "-C", "somebody@somewhere", ...options, "-f", file]);
  if (made.status !== 0) throw new Error(`ssh-keygen: ${made.stderr}`);
  const words = readFileSync(`${file}.pub`, "utf8").split(" ").slice(0, 2);
  return { privateKey: readFileSync(file, "utf8"), publicKey: words.join(" ") };
}

const hostKey = keyPair("-t", "ed25519");
const loginKey = keyPair("-t", "ed25519");

describe.each(DISTRIBUTIONS)("user data for %s", (distribution) => {
  const of = ({ privateKey, publicKey } = hostKey): string =>
    userData({ distribution, hostPrivateKey: privateKey, hostPublicKey: publicKey });
  const text = of();

  it("is shell, to bash and to a plain sh", () => {
    for (const shell of ["bash", ...(isThere("dash") ? ["dash"] : []), "sh"]) {
      const { status, stderr } = runs(shell, ["-n"], text);
      expect({ shell, status, stderr }).toEqual({ shell, status: 0, stderr: "" });
    }
    expect(text.split("\n")[0]).toBe("#!/bin/sh");
  });

  it.skipIf(skipsWithout("shellcheck"))("has nothing that shellcheck minds", () => {
    expect(runs("shellcheck", ["--severity=style", "--shell=sh", "-"], text)).toMatchObject({ status: 0, stdout: "" });
  });

  it("fits into what clouds take", () => {
    // Lightsail states no limit of its own; EC2, which its instances are, takes 16 KB of raw user data:
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html
    // Hetzner takes 32 KiB: https://docs.hetzner.cloud/reference/cloud#servers-create-a-server
    expect(Buffer.byteLength(text)).toBeLessThan(16 * 1024);
    // A key of another kind is longer; ours is the only part that is not a constant.
    expect(Buffer.byteLength(text) - Buffer.byteLength(hostKey.privateKey)).toBeLessThan(4 * 1024);
  });

  it("is the same whenever the host key is, and holds it whole", () => {
    expect(of({ ...hostKey })).toBe(text);
    expect(of(loginKey)).not.toBe(text);
    expect(text).toContain(`\n${hostKey.privateKey.trim()}\nHYBRID_K3S\n`);
    expect(text).toContain(`\n${hostKey.publicKey}\nHYBRID_K3S\n`);
  });

  it("knows nobody who logs in", () => {
    expect(text).not.toContain("authorized_keys");
    expect(text.match(/PRIVATE KEY-----/g)).toHaveLength(2);
    expect(text.match(/ssh-ed25519 /g)).toHaveLength(1);
  });

  it("says last that it is done, after sshd has read its rules", () => {
    const at = (part: string): number => text.indexOf(part);
    expect(at(SSHD_CONFIG_PATH)).toBeGreaterThan(0);
    expect(at('"$sshd" -t')).toBeGreaterThan(at("PermitRootLogin"));
    expect(at("systemctl restart")).toBeGreaterThan(at('"$sshd" -t'));
    expect(at(`echo ended >${BOOTSTRAP_MARKER}`)).toBeGreaterThan(at("systemctl restart"));
  });
});

describe("the public half of a login key", () => {
  it.each([
    ["Ed25519, as OpenSSH writes it", ["-t", "ed25519"]],
    ["RSA, as OpenSSH writes it", ["-t", "rsa", "-b", "2048"]],
    ["RSA in PEM", ["-t", "rsa", "-b", "2048", "-m", "PEM"]],
    ["ECDSA, as OpenSSH writes it", ["-t", "ecdsa", "-b", "256"]],
    ["ECDSA in PEM", ["-t", "ecdsa", "-b", "384", "-m", "PEM"]],
    ["RSA in PKCS #8", ["-t", "rsa", "-b", "2048", "-m", "PKCS8"]],
  ])("is what ssh-keygen makes of it: %s", (_, options) => {
    const { privateKey, publicKey } = keyPair(...options);
    expect(publicHalf(privateKey).publicKey).toBe(publicKey);
    expect(publicHalf(`\n${privateKey}\n\n`).publicKey).toBe(publicKey);
    expect(publicHalf(privateKey.replaceAll("\n", "\r\n")).publicKey).toBe(publicKey);
  });

  it("has a digest that changes with the key, and not with its comment or form", () => {
    const { digest } = publicHalf(loginKey.privateKey);
    expect(digest).toMatch(/^[0-9a-f]{8}$/);
    expect(publicHalf(hostKey.privateKey).digest).not.toBe(digest);
    const file = join(folder, "rsa");
    runs("ssh-keygen", ["-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "one", "-f", file]);
    const before = publicHalf(readFileSync(file, "utf8"));
    runs("ssh-keygen", ["-q", "-p", "-N", "", "-m", "PEM", "-f", file]);
    expect(readFileSync(file, "utf8")).toContain("BEGIN RSA PRIVATE KEY");
    expect(publicHalf(readFileSync(file, "utf8"))).toEqual(before);
  });

  it.each([
    ["OpenSSH", ["-t", "ed25519"]],
    ["PEM", ["-t", "rsa", "-b", "2048", "-m", "PEM"]],
    ["PKCS #8", ["-t", "rsa", "-b", "2048", "-m", "PKCS8"]],
  ])("is refused where the key has a passphrase: %s", (_, options) => {
    const file = join(folder, `locked-${keys++}`);
    runs("ssh-keygen", ["-q", ...options, "-N", "correct horse", "-f", file]);
    const text = readFileSync(file, "utf8");
    expect(() => publicHalf(text)).toThrow(/^a private key with a passphrase$/);
  });

  it.each([
    ["nothing", ""],
    ["words", "hunter2-is-no-key"],
    ["a public key", hostKey.publicKey],
    ["half a key", hostKey.privateKey.slice(0, 200)],
    ["a key with a hole", hostKey.privateKey.replace(/\n.{20}/, "\n")],
  ])("is refused without a word of it: %s", (_, text) => {
    expect(() => publicHalf(text)).toThrow(/^a private key that cannot be read$/);
  });
});
