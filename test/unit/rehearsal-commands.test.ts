import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { remoteCommandText, stationCommandText } from "../../components/host/command-text.ts";
import { goQuote, type LocalRun, type RemoteRun } from "../../rehearsal/commands/backend.ts";
import { realCommands } from "../../rehearsal/commands/real.ts";
import { secretsOf, simulatedCommands } from "../../rehearsal/commands/simulated.ts";
import { World } from "../../rehearsal/world/world.ts";

const base = {
  resource: "r",
  text: "",
  stdin: "",
  environment: {},
  timeoutSeconds: undefined,
  signal: new AbortController().signal,
};
const localRun = (text: string, more: Partial<LocalRun> = {}): LocalRun => ({
  ...base,
  interpreter: ["/bin/sh", "-c"],
  text,
  ...more,
});

test.each([
  ["plain", '"plain"'],
  ['a "b" \\ \n\t', String.raw`"a \"b\" \\ \n\t"`],
  ["\x01\x7f", String.raw`"\x01\x7f"`],
  ["時 …", '"時 …"'],
])("Go quotes %j as %s", (text, quoted) => {
  expect(goQuote(text)).toBe(quoted);
});

test("the secrets in front of a program are read back", () => {
  const encoded = Buffer.from("a'b\nc").toString("base64");
  const stdin = `TOKEN=$(printf %s '${encoded}' | base64 -d; printf x); TOKEN=\${TOKEN%x}\nmain() {\nX=1\n}\n`;
  expect(secretsOf(stdin)).toEqual({ TOKEN: "a'b\nc" });
});

describe("commands in the simulated world", () => {
  const commands = simulatedCommands(new World());
  test("a command that is none of the project's scripts is refused by name", async () => {
    await expect(commands.local(localRun("echo hello"))).rejects.toThrow(
      "the rehearsal has no behaviour for a command that is not one of the project's scripts: echo hello",
    );
  });
  test("a script that it does not know is refused by name", async () => {
    const text = stationCommandText({ script: "new-script", action: "run", parameters: {} });
    await expect(commands.local(localRun(text))).rejects.toThrow(
      "the rehearsal has no behaviour for the script new-script (resource r)",
    );
  });
  test("a host that does not answer ends the plugin's dialling with its timeout, and no more words", async () => {
    const text = remoteCommandText(
      { script: "k3s-node", action: "install", parameters: {} },
      { timeoutSeconds: 1, lockSeconds: 1 },
    );
    const connection = { host: "10.0.0.1", port: 22, user: "root", perDialTimeout: 10, dialErrorLimit: -1 };
    await expect(commands.remote({ ...base, text, timeoutSeconds: 60, connection })).rejects.toThrow(
      /^context deadline exceeded$/,
    );
  });
});

describe("commands for real, on this computer", () => {
  const { local } = realCommands();
  test("standard input, environment and both outputs", async () => {
    const run = localRun('cat; echo "$WORD" >&2', { stdin: "in\n", environment: { WORD: "word" } });
    expect(await local(run)).toEqual({ stdout: "in", stderr: "word" });
  });
  test("a failure is worded as the official plugin words it", async () => {
    await expect(local(localRun('echo out; echo "err" >&2; exit 3'))).rejects.toThrow(
      'exit status 3: running "echo out; echo \\"err\\" >&2; exit 3":\nout\nerr\n',
    );
  });
  test("a time-out ends the command and what it started", async () => {
    const started = Date.now();
    await expect(local(localRun("sleep 30 & wait", { timeoutSeconds: 0.2 }))).rejects.toThrow(
      /^signal: killed: running/,
    );
    expect(Date.now() - started).toBeLessThan(5_000);
  });
  test("a cancel does the same", async () => {
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort();
    }, 100);
    await expect(local(localRun("sleep 30", { signal: controller.signal }))).rejects.toThrow(/^signal: killed/);
  });
});

describe("commands for real, through OpenSSH", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hybrid-k3s-test-"));
    // Writes down what it was called with and the files it was given; its answers stand in the file `answers`.
    await writeFile(
      join(folder, "ssh"),
      `#!/bin/bash
echo "$@" >>"${folder}/calls"
for word in "$@"; do case $word in UserKnownHostsFile=*) cat "\${word#*=}" >>"${folder}/known" ;; esac; done
while [ $# -gt 0 ]; do [ "$1" != -i ] || stat -c %a "$2" >>"${folder}/modes"; shift; done
code=$(head -n 1 "${folder}/answers"); sed -i 1d "${folder}/answers"
[ "$code" = 0 ] || echo "said $code" >&2
exit "$code"
`,
    );
    await chmod(join(folder, "ssh"), 0o755);
    vi.stubEnv("PATH", `${folder}:${process.env["PATH"] ?? ""}`);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  const run = (more: Partial<RemoteRun> = {}): RemoteRun => ({
    ...base,
    text: "true",
    connection: {
      host: "10.0.0.1",
      port: 2222,
      user: "ops",
      hostKey: "ssh-ed25519 AAAA",
      privateKey: "key",
      perDialTimeout: 10,
      dialErrorLimit: -1,
    },
    ...more,
  });
  const answers = (...codes: number[]) => writeFile(join(folder, "answers"), `${codes.join("\n")}\n`);
  const file = (name: string) => readFile(join(folder, name), "utf8");

  test("the one host key is pinned, the key file is private, and nothing of the user's own settings is read", async () => {
    await answers(0, 0);
    await realCommands().remote(run());
    const calls = await file("calls");
    for (const option of [
      "-F /dev/null",
      "-p 2222",
      "-l ops",
      "StrictHostKeyChecking=yes",
      "BatchMode=yes",
      "IdentityAgent=none",
      "ConnectTimeout=10",
      "HostKeyAlgorithms=ssh-ed25519",
    ]) {
      expect(calls).toContain(option);
    }
    expect(await file("known")).toBe("target ssh-ed25519 AAAA\n".repeat(2));
    expect(await file("modes")).toBe("600\n600\n");
  });

  test("it dials until the host answers", async () => {
    await answers(255, 255, 0, 0);
    await realCommands().remote(run());
    expect((await file("calls")).trim().split("\n")).toHaveLength(4);
  });

  test("it gives up after the limit of dials, or with the step's timeout", async () => {
    await answers(255, 255, 255, 255, 255);
    const { connection } = run();
    await expect(realCommands().remote(run({ connection: { ...connection, dialErrorLimit: 1 } }))).rejects.toThrow(
      /^after 1 failed attempts: said 255$/,
    );
    await expect(realCommands().remote(run({ timeoutSeconds: 0.3 }))).rejects.toThrow(/^context deadline exceeded$/);
  });

  test("a failing command is worded as the official plugin words it", async () => {
    await answers(0, 7);
    await expect(realCommands().remote(run())).rejects.toThrow(
      'Process exited with status 7: running "true":\nsaid 7\n',
    );
    await answers(0, 255);
    await expect(realCommands().remote(run())).rejects.toThrow(
      'wait: remote command exited without exit status or exit signal: running "true":\nsaid 255\n',
    );
  });

  test("a jump host has its own key and its own pinned host key", async () => {
    await answers(0, 0);
    const proxy = {
      host: "jump",
      port: 22,
      user: "hop",
      hostKey: "ssh-ed25519 BBBB",
      privateKey: "other",
      perDialTimeout: 5,
      dialErrorLimit: 0,
    };
    await realCommands().remote(run({ connection: { ...run().connection, proxy } }));
    expect(await file("calls")).toMatch(/ProxyCommand='ssh' .*'HostKeyAlias=jump'.* '-W' \[%h\]:%p 'jump'/);
  });
});
