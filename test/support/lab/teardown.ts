import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attempt, pauseSynchronously, run } from "./run.ts";
import { processesIn, removeCgroups } from "./cgroups.ts";
import { hostFolders, isMounted, removeDisk } from "./host-files.ts";

/** Where labs live: on a real disk, for overlays do not lie on every temporary file system. */
const LABS = "/var/tmp/hybrid-k3s-lab";

/** Start of every lab's prefix, so that a lab is recognised as one. */
const PREFIX = /^hk[0-9a-z]{4}$/;

/** Kernel settings that namespaces share: hardening a host sets them for the whole machine, so a lab puts them back. */
const SHARED_SETTINGS = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxbytes",
  "kernel/keys/root_maxkeys",
  "fs/inotify/max_user_instances",
  "fs/inotify/max_user_watches",
  "net/netfilter/nf_conntrack_max",
];

/** The folder of a lab. */
export const labFolder = (prefix: string): string => join(LABS, prefix);

/** The name of a host's cgroups. */
export const cgroupName = (prefix: string, host: string): string => `${prefix}-${host}`;

/** Since when a process runs, in clock ticks after boot: with its id, that names a process for good. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold spaces. After it: the state (field 3) … the start (field 22).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A dead child that its parent has not read yet is gone as far as we are concerned: the parent may be this process.
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Remembers a process in a file. */
export function writeProcess(file: string, pid: number): void {
  writeFileSync(file, `${pid} ${startOf(pid) ?? ""}\n`);
}

/** The remembered process, if it still runs. */
export function readProcess(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  const [pid, start] = readFileSync(file, "utf8").trim().split(" ");
  return start !== undefined && startOf(Number(pid)) === start ? Number(pid) : undefined;
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** systemd-nspawn tidies up when a host shuts down by itself, not when its power is cut. */
function removeNspawnFiles(prefix: string, host: string): void {
  rmSync(`/run/systemd/nspawn/propagate/${cgroupName(prefix, host)}`, { recursive: true, force: true });
  const { root } = hostFolders(labFolder(prefix), host);
  if (!existsSync(root)) return;
  const { dev, ino } = statSync(root);
  rmSync(`/run/systemd/nspawn/locks/inode-${dev}:${ino}`, { force: true });
}

/** Cuts a host's power: every process of it is gone afterwards. @throws Error if one outlives 10 s of SIGKILL */
export function powerOff(prefix: string, host: string): void {
  const file = join(hostFolders(labFolder(prefix), host).home, "pid");
  for (let tries = 0; tries < 200; tries += 1) {
    const nspawn = readProcess(file);
    const alive = [...(nspawn === undefined ? [] : [nspawn]), ...processesIn(cgroupName(prefix, host))];
    if (alive.length === 0) {
      rmSync(file, { force: true });
      removeNspawnFiles(prefix, host);
      return;
    }
    alive.forEach(end);
    pauseSynchronously(50);
  }
  throw new Error(`host ${host} of lab ${prefix}: its processes outlive SIGKILL`);
}

function removeNetwork(prefix: string): void {
  const links = attempt("ip", ["-o", "link", "show"], 10).stdout.matchAll(/^\d+: (?<name>[^:@]+)/gm);
  for (const { groups } of links) {
    if (groups?.["name"]?.startsWith(`${prefix}-`)) attempt("ip", ["link", "delete", groups["name"]], 10);
  }
  for (const namespace of existsSync("/run/netns") ? readdirSync("/run/netns") : []) {
    if (namespace.startsWith(`${prefix}-`)) run("ip", ["netns", "delete", namespace], 20);
  }
}

function removeLeftoverCgroups(name: string): void {
  for (let tries = 0; tries < 100; tries += 1) {
    if (removeCgroups(name).length === 0) return;
    pauseSynchronously(50);
  }
  throw new Error(`cgroups ${name} stay busy`);
}

/** Where the shared settings are kept: what they were before the first of the labs that stand now. */
const SETTINGS = join(LABS, "settings.json");

const standingLabs = (): string[] => readdirSync(LABS).filter((name) => PREFIX.test(name));

/** Opens a lab's folder in this process's name and remembers what the machine must get back. */
export function openFolder(prefix: string): string {
  const folder = labFolder(prefix);
  mkdirSync(LABS, { recursive: true, mode: 0o711 });
  // Another lab may have changed them already: only the first one sees what they were.
  if (standingLabs().length === 0) {
    const settings = SHARED_SETTINGS.filter((name) => existsSync(`/proc/sys/${name}`)).map(
      (name) => [name, readFileSync(`/proc/sys/${name}`, "utf8").trim()] as const,
    );
    writeFileSync(SETTINGS, JSON.stringify(settings));
  }
  mkdirSync(join(folder, "hosts"), { recursive: true, mode: 0o711 });
  writeProcess(join(folder, "owner"), process.pid);
  return folder;
}

/** Puts the shared settings back, when the last lab goes. */
function restoreSettings(prefix: string): void {
  if (!existsSync(SETTINGS) || standingLabs().some((other) => other !== prefix)) return;
  for (const [name, value] of JSON.parse(readFileSync(SETTINGS, "utf8")) as [string, string][]) {
    if (readFileSync(`/proc/sys/${name}`, "utf8").trim() !== value) writeFileSync(`/proc/sys/${name}`, value);
  }
  rmSync(SETTINGS);
}

/**
 * Removes all that a lab put on this machine: processes, cgroups, namespaces, interfaces, mounts, files.
 * It goes by what is there, so it may run again, after a crash, or from an exit handler; it is synchronous for that.
 * @throws Error naming what could not be removed, after everything else was
 */
export function tearDown(prefix: string): void {
  if (!PREFIX.test(prefix)) throw new Error(`${prefix} is no lab`);
  const folder = labFolder(prefix);
  const problems: string[] = [];
  const step = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      problems.push(String(error));
    }
  };
  const hosts = existsSync(join(folder, "hosts")) ? readdirSync(join(folder, "hosts")) : [];
  for (const host of hosts) step(() => powerOff(prefix, host));
  for (const host of hosts) {
    step(() => removeLeftoverCgroups(cgroupName(prefix, host)));
    step(() => removeDisk(hostFolders(folder, host)));
  }
  step(() => removeNetwork(prefix));
  step(() => restoreSettings(prefix));
  if (hosts.some((host) => isMounted(hostFolders(folder, host).root))) problems.push(`a disk is still mounted`);
  if (problems.length > 0) throw new Error(`lab ${prefix} is not gone:\n${problems.join("\n")}`);
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Removes labs whose process has gone without closing them.
 * @returns their prefixes
 */
export function sweep(): string[] {
  if (!existsSync(LABS)) return [];
  const dead = standingLabs().filter((prefix) => readProcess(join(labFolder(prefix), "owner")) === undefined);
  dead.forEach(tearDown);
  return dead;
}

/** What is left of a lab on this machine, one line each: for the test that a lab leaves nothing. */
export function traces(prefix: string): string[] {
  const inShell = (program: string): string[] =>
    attempt("bash", ["-c", program], 20)
      .stdout.split("\n")
      .filter((line) => line.includes(prefix));
  return [
    ...inShell("ip netns list").map((line) => `namespace ${line}`),
    ...inShell("ip -o link show").map((line) => `interface ${line}`),
    ...inShell("cat /proc/mounts").map((line) => `mount ${line}`),
    ...inShell("find /sys/fs/cgroup -maxdepth 3 -type d -name 'hk*'").map((line) => `cgroup ${line}`),
    ...inShell(`ls -d ${LABS}/* /run/systemd/nspawn/*/* 2>/dev/null`).map((line) => `folder ${line}`),
    ...inShell("ps -eo pid,args --no-headers").map((line) => `process ${line}`),
  ];
}
