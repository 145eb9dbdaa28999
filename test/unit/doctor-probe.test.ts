import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Target } from "../../tools/doctor/evidence.ts";
import { look, reach } from "../../tools/doctor/probe.ts";
import { Ssh } from "../../tools/doctor/ssh.ts";
import { HOST_KEY } from "../support/sample.ts";

const probe = new URL("../../tools/doctor/scripts/probe.sh", import.meta.url).pathname;

let folder: string;

const tool = (name: string, body: string): void => {
  writeFileSync(join(folder, name), `#!/bin/bash\n${body}\n`);
  chmodSync(join(folder, name), 0o755);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hybrid-k3s-test-"));
  // Nothing of this computer but what the script itself is made of.
  for (const name of ["bash", "cat", "date", "env", "head", "id", "sed", "tail", "tr"]) {
    const path = [`/usr/bin/${name}`, `/bin/${name}`].find((candidate) => existsSync(candidate))!;
    symlinkSync(path, join(folder, name));
  }
  tool("timeout", 'while [[ $1 == -* ]]; do shift 2; done; shift; exec "$@"');
  tool("timedatectl", "echo yes");
  tool(
    "systemctl",
    'case "$*" in *LoadState*k3s-agent*) echo not-found ;; *LoadState*) echo loaded ;; "is-active bad") echo failed; exit 3 ;; *) echo active ;; esac',
  );
  tool(
    "ip",
    `case "$*" in
  "-o link show dev tailscale0") echo "3: tailscale0: <UP> mtu 1280 qdisc fq" ;;
  "-o link"*) echo "does not exist" >&2; exit 1 ;;
  "-j -4 rule show") echo '[{"priority":2500}]' ;;
  "-j -4 route show table 52") printf '[{"dst":"10.0.0.1"},\\n {"dst":"10.0.0.2"}]\\n' ;;
  "-4 route get 10.0.0.9") echo "RTNETLINK answers: No route to host" >&2; exit 2 ;;
  "-4 route get"*) echo "$4 dev tailscale0 src 100.64.0.1 uid 0" ;;
esac`,
  );
  tool(
    "ping",
    `case "$*" in
  *" -s "*" 10.0.0.1") exit 0 ;;
  *" -s "*" 10.0.0.2") echo "ping: local error: message too long, mtu=1200" >&2; exit 1 ;;
  *" -s "*" 10.0.0.3") echo "From 10.0.0.254 icmp_seq=1 Frag needed and DF set (mtu = 1400)"; exit 1 ;;
  *" -s "*) exit 1 ;;
  *10.0.0.9) exit 1 ;;
  *) echo "rtt min/avg/max/mdev = 41.700/42.0/43.0/0.1 ms" ;;
esac`,
  );
  tool(
    "tailscale",
    `case "$*" in
  "status --json") printf '{\\n "BackendState": "Running"\\n}\\n' ;;
  *100.64.0.1) printf 'pong from a (100.64.0.1) via DERP(tok) in 30ms\\npong from a (100.64.0.1) via 192.0.2.1:41641 in 9ms\\n' ;;
  *100.64.0.2) echo "pong from b (100.64.0.2) via DERP(tok) in 30ms"; echo "direct connection not established" >&2; exit 1 ;;
  *) echo 'ping "x" timed out'; exit 1 ;;
esac`,
  );
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function run(environment: Readonly<Record<string, string>>, input = "now\n") {
  const { status, stdout, stderr } = spawnSync(join(folder, "bash"), [probe], {
    input,
    encoding: "utf8",
    env: { PATH: folder, ...environment },
  });
  return { status, stderr, lines: stdout.split("\n").slice(0, -1) };
}

describe("a look at a host", () => {
  const LOOK = { ACTION: "look", MESH: "tailscale", UNITS: "k3s bad k3s-agent", INTERFACES: "tailscale0 flannel.1" };

  it("prints a fact a line, JSON on one line, and ends with done", () => {
    const { status, stderr, lines } = run(LOOK);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(lines[1]).toMatch(/^clock \d+\.\d{9}$/);
    expect([lines[0], ...lines.slice(2)]).toEqual([
      "ready",
      "synchronised yes",
      "unit k3s active",
      "unit bad failed",
      "unit k3s-agent not-found",
      "mtu tailscale0 1280",
      'rules [{"priority":2500}]',
      'routes [{"dst":"10.0.0.1"}, {"dst":"10.0.0.2"}]',
      'status { "BackendState": "Running"}',
      "done",
    ]);
  });

  it("asks nothing about a mesh where there is none", () => {
    const { lines } = run({ ...LOOK, MESH: "none", UNITS: "k3s", INTERFACES: "" });
    expect(lines.slice(2)).toEqual(["synchronised yes", "unit k3s active", "done"]);
  });

  it("goes on where programs are missing or say nothing, and where nobody asks for the time", () => {
    for (const name of ["ping", "timedatectl", "tailscale"]) rmSync(join(folder, name));
    tool("ip", "exit 1");
    const { status, lines } = run(LOOK, "");
    expect(status).toBe(0);
    expect(lines).toEqual([
      "ready",
      "synchronised unknown",
      "missing ping",
      "unit k3s active",
      "unit bad failed",
      "unit k3s-agent not-found",
      "rules ",
      "routes ",
      "status ",
      "done",
    ]);
  });
});

describe("the ways from a host", () => {
  const ways = (targets: readonly string[], mesh = "tailscale"): string[] =>
    run({ ACTION: "reach", MESH: mesh, TARGETS: targets.join("\n") }).lines;

  it("are device, latency, whether a large packet passes, and the mesh's last word", () => {
    expect(ways(["a 10.0.0.1 100.64.0.1 1280"])).toEqual([
      "device a tailscale0",
      "latency a 41.700",
      "large a 1280 passes",
      "path a 192.0.2.1:41641",
      "done",
    ]);
  });

  it.each([
    ["this host's own MTU", "10.0.0.2", "large a 1280 lost 1200"],
    ["a router on the way", "10.0.0.3", "large a 1280 lost 1400"],
    ["nobody", "10.0.0.4", "large a 1280 lost 0"],
  ])("tell what is lost, and what %s says would pass", (_, address, line) => {
    expect(ways([`a ${address} - 1280`])).toContain(line);
  });

  it("try no large packet where small ones are not answered, and none at all where nobody asked", () => {
    expect(ways(["a 10.0.0.9 100.64.0.2 1280"])).toEqual(["device a -", "latency a none", "path a DERP(tok)", "done"]);
    expect(ways(["a 10.0.0.1 100.64.0.9 -"])).toEqual(["device a tailscale0", "path a none", "done"]);
    expect(ways(["a 10.0.0.1 100.64.0.1 -"], "none")).toEqual(["device a tailscale0", "done"]);
  });

  it("are many at a time, and all are told", () => {
    const targets = Array.from({ length: 19 }, (_, index) => `n-${index} 10.0.0.1 - -`);
    const lines = ways(targets);
    expect(lines).toHaveLength(20);
    expect(lines.at(-1)).toBe("done");
  });
});

describe("a connection", () => {
  const target: Target = { name: "a-1", user: "ops", host: "10.0.0.1", port: 2222, hostKey: HOST_KEY };
  /** An ssh that writes down how it was called, and runs the command here. */
  const ssh = (body = 'exec bash -c "${@: -1}"'): void => {
    tool("ssh", `printf '%s\\n' "$@" >"${folder}/call"; cat "\${4}" >"${folder}/key"; ${body}`);
    tool("sudo", 'shift; exec "$@"');
    vi.stubEnv("PATH", folder);
  };
  const question = { mesh: "tailscale", units: ["k3s"], interfaces: ["tailscale0"] } as const;

  it("looks at a host, and reads its clock while it is there", async () => {
    ssh();
    const connection = new Ssh(["key text"]);
    const { reached, facts } = await look(connection, target, question);
    connection.close();
    expect(reached).toEqual({ phase: "ok" });
    expect(facts).toMatchObject({ units: { k3s: "active" }, mtus: { tailscale0: 1280 }, client: { state: "Running" } });
    expect(Math.abs(facts!.clock!.offset)).toBeLessThan(1);
    expect(facts!.clock!.synchronised).toBe(true);
  });

  it("tries the ways from a host", async () => {
    ssh();
    const connection = new Ssh(["key text"]);
    const plan = { to: "a", over: "mesh", address: "10.0.0.1", peer: "100.64.0.2", bytes: 1280 } as const;
    const { ways } = await reach(connection, target, "tailscale", [plan, { ...plan, to: "b", peer: "unknown" }]);
    connection.close();
    const same = { over: "mesh", device: "tailscale0", latency: 41.7, large: { bytes: 1280, passes: true } };
    expect(ways).toEqual([
      { to: "a", ...same, path: { kind: "relayed", through: "tok" } },
      { to: "b", ...same, path: { kind: "unknown peer" } },
    ]);
  });

  it("has the one pinned key for each host and nothing of the user's, and leaves no key behind", async () => {
    ssh("exit 0");
    const connection = new Ssh(["first\n", "second"]);
    const jump = { user: "gate", host: "gate.example.net", port: 22, hostKey: "ssh-rsa AAAA" };
    await connection.run({ ...target, jump }, { command: "true", input: "", limitSeconds: 10 });
    const call = readFileSync(join(folder, "call"), "utf8").split("\n");
    expect(call.slice(0, 3)).toEqual(["-F", "/dev/null", "-i"]);
    const [, , , first] = call as [string, string, string, string];
    expect(readFileSync(join(folder, "key"), "utf8")).toBe("first\n");
    expect(statSync(first).mode & 0o777).toBe(0o600);
    for (const option of ["StrictHostKeyChecking=yes", "HostKeyAlgorithms=ssh-ed25519", "IdentityAgent=none", "2222"]) {
      expect(call).toContain(option);
    }
    const known = call.find((word) => word.startsWith("UserKnownHostsFile="))!.split('"')[1]!;
    expect(readFileSync(known, "utf8")).toBe(`target-a-1 ${HOST_KEY}\n`);
    const proxy = call.find((word) => word.startsWith("ProxyCommand="))!;
    expect(proxy).toContain("'HostKeyAlgorithms=rsa-sha2-512,rsa-sha2-256'");
    expect(proxy).toContain("'-l' 'gate' -W '[%h]:%p' 'gate.example.net'");
    connection.close();
    expect([existsSync(first), existsSync(known)]).toEqual([false, false]);
  });

  it("does not take an answer that was cut off for a whole one", async () => {
    ssh("echo ready; echo clock 1.5");
    const connection = new Ssh(["key text"]);
    expect(await look(connection, target, question)).toEqual({
      reached: { phase: "probe", word: "its answer was cut off" },
    });
    connection.close();
  });

  it("is tried once more where nobody answered, and not where somebody refused", async () => {
    ssh(`echo x >>"${folder}/calls"; echo "Connection reset by 10.0.0.1" >&2; exit 255`);
    const connection = new Ssh(["key text"]);
    const calls = (): number => readFileSync(join(folder, "calls"), "utf8").trim().split("\n").length;
    expect((await look(connection, target, question)).reached).toEqual({
      phase: "tcp",
      word: "Connection reset by 10.0.0.1",
    });
    expect(calls()).toBe(2);
    ssh(`echo x >>"${folder}/calls"; echo "Permission denied (publickey)." >&2; exit 255`);
    expect((await look(connection, target, question)).reached.phase).toBe("login");
    expect(calls()).toBe(3);
    connection.close();
  });

  it("is ended where it takes too long", async () => {
    ssh("exec /bin/sleep 30");
    const connection = new Ssh(["key text"]);
    const answer = await connection.run(target, { command: "", input: "", limitSeconds: 0.3 });
    expect(answer.reached).toEqual({ phase: "probe", word: "it did not end in time" });
    connection.close();
  });

  it("says where this computer has no ssh", async () => {
    vi.stubEnv("PATH", folder);
    const connection = new Ssh(["key text"]);
    expect((await look(connection, target, question)).reached).toEqual({ phase: "tcp", word: "spawn ssh ENOENT" });
    connection.close();
  });
});
