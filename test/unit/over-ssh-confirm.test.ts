import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stationCommandText } from "../../components/host/command-text.ts";
import { scriptFile } from "../../components/host/script-file.ts";
import { programBody } from "../../components/host/script-program.ts";
import { UNCONFIRMED } from "../../components/host/station-script.ts";

const overSsh = scriptFile(new URL("../../components/host/scripts/over-ssh.sh", import.meta.url));

let folder: string;

const tool = (name: string, body: string): void => {
  writeFileSync(join(folder, name), `#!/bin/bash\n${body}\n`);
  chmodSync(join(folder, name), 0o755);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hybrid-k3s-test-"));
  tool("ssh-keygen", "exit 0");
  // Writes down how it was called; its answers are codes in the file `answers`.
  tool(
    "ssh",
    `cat >/dev/null; printf '%s\\n---\\n' "$*" >>"${folder}/calls"
code=$(head -n 1 "${folder}/answers"); sed 1d "${folder}/answers" >"${folder}/rest"; mv "${folder}/rest" "${folder}/answers"
echo "said $code"; echo "complained $code" >&2; exit "$code"`,
  );
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** The station script with an ssh that answers with these codes, one a connection. */
function reach(codes: readonly number[], more: Record<string, string> = { CONFIRM_ACTION: "confirm" }) {
  writeFileSync(join(folder, "answers"), codes.map((code) => `${code}\n`).join(""));
  const parameters = {
    TARGETS: "a ops@10.0.0.1:22 ssh-ed25519 AAAA",
    CONNECT_SECONDS: "0",
    UNREACHABLE: "fail",
    LOCK: "hybrid-k3s",
    LOCK_SECONDS: "1",
    LIMIT_SECONDS: "1",
    SCRIPT: "host-firewall",
    FORWARD: "ACTION RULES",
    RULES: "it's\n",
    ...more,
  };
  const text = stationCommandText({ script: "host-firewall", action: "apply", parameters });
  const secrets = "SSH_PRIVATE_KEY=key\nREMOTE_PROGRAM=program\n";
  const { status, stdout, stderr } = spawnSync("/bin/bash", ["-c", text], {
    input: secrets + programBody(overSsh),
    encoding: "utf8",
    env: { PATH: `${folder}:${process.env["PATH"] ?? ""}`, HOME: "/nonexistent" },
  });
  const calls = readFileSync(join(folder, "calls"), "utf8").split("\n---\n").slice(0, -1);
  return { status, stdout, stderr, calls };
}

describe("a change that is to be confirmed", () => {
  it("is confirmed by the same script, over a connection of its own", () => {
    const { status, stdout, calls } = reach([0, 0]);
    expect(status).toBe(0);
    expect(stdout).toBe("said 0\nsaid 0\n");
    expect(calls).toHaveLength(2);
    expect(calls[0]).toContain("ACTION='apply' RULES='it'\\''s\n'");
    expect(calls[1]).toContain("ACTION='confirm' RULES='it'\\''s\n'");
    // Nothing of the user's configuration is read, so no connection is shared with another.
    for (const call of calls) expect(call).toMatch(/^-F \/dev\/null (?!.*Control)/);
  });

  it("that is not confirmed has an exit code of its own, and words that say what happens now", () => {
    const { status, stderr } = reach([0, 1]);
    expect(status).toBe(UNCONFIRMED);
    expect(stderr).toBe(
      [
        "complained 0",
        "complained 1",
        "confirm: host-firewall confirm was not done on a (10.0.0.1 port 22) over a new connection: it ended with 1",
        "the host itself rolls back within a minute what host-firewall apply changed, and can be reached as before",
        "check: does the change let this computer in, at the address that the host sees (access.from, the jump host, the mesh)? then run again",
        "",
      ].join("\n"),
    );
  });

  it("is tried again where a connection fails once", () => {
    expect(reach([0, 255, 0])).toMatchObject({ status: 0, calls: { length: 3 } });
  });

  it("is not confirmed where it was not made", () => {
    expect(reach([3])).toMatchObject({ status: 1, calls: { length: 1 } });
  });

  it("is none where nothing is to be confirmed: one connection, as ever", () => {
    expect(reach([0], {})).toMatchObject({ status: 0, stdout: "said 0\n", calls: { length: 1 } });
  });
});
