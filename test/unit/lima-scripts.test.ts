import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stationCommandText } from "../../components/host/command-text.ts";
import { scriptFile } from "../../components/host/script-file.ts";
import { programBody } from "../../components/host/script-program.ts";
import { vmYaml } from "../../components/lima/vm-yaml.ts";

const at = (name: string) => scriptFile(new URL(`../../components/lima/scripts/${name}.sh`, import.meta.url));
const SCRIPTS = { vm: at("lima-vm"), address: at("lima-address") };
const yaml = vmYaml({
  hostSystem: "linux",
  network: "user-v2",
  image: "debian-13",
  cpus: 2,
  memoryGiB: 4,
  diskGiB: 40,
});

let store: string;
beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), "hybrid-k3s-lima-"));
  mkdirSync(join(store, "bin"));
  copyFileSync(new URL("../support/fake-limactl", import.meta.url), join(store, "bin/limactl"));
  chmodSync(join(store, "bin/limactl"), 0o755);
});
afterEach(() => {
  rmSync(store, { recursive: true });
});

const ALWAYS = {
  VM: "tokyo-vm-a",
  NODE_NAME: "vm-a",
  OWNER: "region=tokyo machine=vm-a owner=abc",
  LEAST_LIMA: "2.0.0",
  AUTOSTART: "yes",
  AUTHORIZED_KEY: "ssh-ed25519 AAAAkey",
  NETWORK: "user-v2",
};
const CREATE = { ...ALWAYS, VM_YAML: yaml, DATA_DISK: "tokyo-vm-a", DATA_GIB: "10", DELETE_DATA: "no" };
const SIZE = { ...ALWAYS, CPUS: "2", MEMORY_GIB: "4", DISK_GIB: "40" };

/** Runs a script as a local command does, with the fake limactl on the path. */
function run(
  script: keyof typeof SCRIPTS,
  action: string,
  parameters: object,
  environment: Record<string, string> = {},
) {
  const call = { script: SCRIPTS[script].name, action, parameters: parameters as Record<string, string> };
  const { status, stdout, stderr } = spawnSync("/bin/bash", ["-c", stationCommandText(call)], {
    input: programBody(SCRIPTS[script]),
    encoding: "utf8",
    env: { PATH: `${join(store, "bin")}:/usr/bin:/bin`, HOME: store, FAKE_LIMA: store, ...environment },
  });
  return { status, stdout, stderr };
}
const calls = (): string[] => readFileSync(join(store, "calls"), "utf8").trimEnd().split("\n");
const statusOf = (vm: string): string => readFileSync(join(store, "vms", vm, "status"), "utf8").trim();

describe("lima-vm", () => {
  test("makes a VM with its data disk, its login and its start at boot; a second run makes nothing", () => {
    expect(run("vm", "create", CREATE)).toEqual({ status: 0, stdout: "tokyo-vm-a runs\n", stderr: "" });
    const file = readFileSync(join(store, "vms/tokyo-vm-a/lima.yaml"), "utf8");
    expect(file.replace(/, from \d+"/, '"')).toBe(
      `message: "Made by hybrid-k3s, and changed there: ${ALWAYS.OWNER}"\n${yaml}`,
    );
    expect(statusOf("tokyo-vm-a")).toBe("Running");
    expect(calls().some((line) => line.includes("autostart enable"))).toBe(true);
    const inGuest = calls().filter((line) => line.startsWith("shell"));
    expect(inGuest.some((line) => line.includes("'ssh-ed25519 AAAAkey'"))).toBe(true);
    expect(inGuest.some((line) => line.includes("ssh_deletekeys: false"))).toBe(true);
    writeFileSync(join(store, "calls"), "");
    expect(run("vm", "create", CREATE).status).toBe(0);
    expect(calls().filter((line) => /^(create|start|disk create)/.test(line))).toEqual([]);
  });

  test("stops, edits and starts a VM whose size changes, and leaves one alone whose size is right", () => {
    run("vm", "create", CREATE);
    writeFileSync(join(store, "calls"), "");
    const changed = run("vm", "converge", { ...SIZE, MEMORY_GIB: "8" });
    expect(changed).toEqual({
      status: 0,
      stdout: "tokyo-vm-a runs\n",
      stderr: "tokyo-vm-a: 2 4 40 → 2 8 40 (CPUs, GiB of memory, GiB of disk)\n",
    });
    const order = calls().filter((line) => /^(stop|edit|start) /.test(line));
    expect(order.map((line) => line.split(" ")[0])).toEqual(["stop", "edit", "start"]);
    expect(order[1]).toContain('.cpus = 2 | .memory = "8GiB" | .disk = "40GiB"');
    writeFileSync(join(store, "calls"), "");
    expect(run("vm", "converge", { ...SIZE, MEMORY_GIB: "8" }).stderr).toBe("");
    expect(calls().filter((line) => /^(stop|edit|start) /.test(line))).toEqual([]);
  });

  test("makes a VM anew that was made half-way from other settings, and grows a data disk that was kept", () => {
    writeFileSync(join(store, "fail"), "start *");
    expect(run("vm", "create", CREATE).status).toBe(1);
    rmSync(join(store, "fail"));
    const smaller = { ...CREATE, VM_YAML: yaml.replace("memory: 4GiB", "memory: 2GiB"), DATA_GIB: "20" };
    expect(run("vm", "create", smaller).status).toBe(0);
    expect(readFileSync(join(store, "vms/tokyo-vm-a/lima.yaml"), "utf8")).toContain("memory: 2GiB");
    expect(readFileSync(join(store, "disks/tokyo-vm-a"), "utf8").trim()).toBe("20GiB");
  });

  test("takes a size back that the host does not have, and says so", () => {
    run("vm", "create", CREATE);
    writeFileSync(join(store, "fail-once"), "start *");
    const refused = run("vm", "converge", { ...SIZE, MEMORY_GIB: "512" });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("tokyo-vm-a does not start with 2 512 40");
    expect(refused.stderr).toContain("it runs as before: 2 4 40");
    expect(statusOf("tokyo-vm-a")).toBe("Running");
    expect(readFileSync(join(store, "vms/tokyo-vm-a/lima.yaml"), "utf8")).toContain("memory: 4GiB");
  });

  test("takes an error of limactl for no answer: nothing is forgotten", () => {
    run("vm", "create", CREATE);
    writeFileSync(join(store, "fail"), "list --quiet");
    const failed = run("vm", "delete", CREATE);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain('limactl list failed: level=fatal msg="told to fail"');
    expect(statusOf("tokyo-vm-a")).toBe("Running");
  });

  test("takes back what a failed registration to start by itself leaves, and goes on", () => {
    writeFileSync(join(store, "fail"), "autostart enable*");
    const unit = join(store, ".config/systemd/user/lima-vm@tokyo-vm-a.service");
    mkdirSync(join(store, ".config/systemd/user"), { recursive: true });
    writeFileSync(unit, "");
    const made = run("vm", "create", CREATE);
    expect(made.status).toBe(0);
    expect(made.stderr).toContain("will not start by itself after the host does · fix: run once on this host: limactl");
    expect(existsSync(unit)).toBe(false);
  });

  test("starts a VM that is off, as after an edit that was interrupted", () => {
    run("vm", "create", CREATE);
    writeFileSync(join(store, "vms/tokyo-vm-a/status"), "Stopped\n");
    expect(run("vm", "converge", SIZE).status).toBe(0);
    expect(statusOf("tokyo-vm-a")).toBe("Running");
  });

  test("does not make a disk smaller, and stops nothing for it", () => {
    run("vm", "create", CREATE);
    const refused = run("vm", "converge", { ...SIZE, DISK_GIB: "20" });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("found 20GiB in the settings · allowed 40GiB, its size now, or more");
    expect(statusOf("tokyo-vm-a")).toBe("Running");
  });

  test("deletes the VM and keeps its data disk, unless it is told to delete that too", () => {
    run("vm", "create", CREATE);
    const kept = run("vm", "delete", CREATE);
    expect(kept.stderr).toBe("tokyo-vm-a is gone; its disk tokyo-vm-a is kept: limactl disk list\n");
    expect(existsSync(join(store, "vms/tokyo-vm-a"))).toBe(false);
    expect(existsSync(join(store, "disks/tokyo-vm-a"))).toBe(true);
    run("vm", "create", CREATE);
    expect(run("vm", "delete", { ...CREATE, DELETE_DATA: "yes" }).status).toBe(0);
    expect(existsSync(join(store, "disks/tokyo-vm-a"))).toBe(false);
    expect(run("vm", "delete", CREATE).stdout).toBe("tokyo-vm-a is gone\n");
  });

  test("neither adopts, changes nor deletes a VM that somebody else made", () => {
    run("vm", "create", CREATE);
    const theirs = { OWNER: "region=tokyo machine=vm-a owner=other" };
    for (const [action, values] of [
      ["create", CREATE],
      ["converge", SIZE],
    ] as const) {
      const refused = run("vm", action, { ...values, ...theirs });
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain("it is never adopted and never deleted");
    }
    expect(run("vm", "delete", { ...CREATE, ...theirs }).stdout).toContain("is left as it is");
    expect(statusOf("tokyo-vm-a")).toBe("Running");
  });

  test.each([
    ["an old Lima", "1.2.1", "limactl: found 1.2.1 · allowed 2.0.0 or newer · fix: brew upgrade lima"],
    ["a Lima that is too old by its first number", "1.9.9", "found 1.9.9"],
  ])("refuses %s", (_, version, message) => {
    const refused = run("vm", "create", CREATE, { FAKE_VERSION: version });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(message);
  });

  test("refuses a host without limactl, and one without socket_vmnet where the VMs need it", () => {
    rmSync(join(store, "bin/limactl"));
    expect(run("vm", "create", CREATE).stderr).toContain("this host has no limactl · fix: install Lima 2.0.0 or newer");
    copyFileSync(new URL("../support/fake-limactl", import.meta.url), join(store, "bin/limactl"));
    expect(run("vm", "create", { ...CREATE, NETWORK: "shared" }).stderr).toContain(
      "/opt/socket_vmnet/bin/socket_vmnet",
    );
  });

  test("says what Lima said when it fails, and where to look", () => {
    writeFileSync(join(store, "fail"), "start *");
    const failed = run("vm", "create", CREATE);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain('starting tokyo-vm-a failed: level=fatal msg="told to fail"');
    expect(failed.stderr).toContain("ha.stderr.log");
  });
});

describe("lima-address", () => {
  const READ = { VM: "tokyo-vm-a", NODE_NAME: "vm-a", INTERFACE: "lima0", WAIT_SECONDS: "1" };

  test("reads address and host key in the guest", () => {
    writeFileSync(join(store, "guest-output"), "ssh-ed25519 AAAAhost root@vm 192.168.105.21/24\n");
    const { stdout, status } = run("address", "read", READ);
    expect(status).toBe(0);
    expect(stdout.split("\n")[1]).toBe("ssh-ed25519 AAAAhost");
  });

  test("says what may be wrong when there is no address", () => {
    writeFileSync(join(store, "guest-output"), "");
    const { stderr, status } = run("address", "read", READ);
    expect(status).toBe(1);
    expect(stderr).toContain("tokyo-vm-a has no address on lima0 after 1 s");
    expect(stderr).toContain("bootpd");
    expect(run("address", "read", { ...READ, INTERFACE: "eth0" }).stderr).not.toContain("bootpd");
  });
});
