import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { eventually } from "./run.ts";
import { makeCgroups } from "./cgroups.ts";
import { hostNamespace } from "./network.ts";
import { hostFolders } from "./host-files.ts";
import { cgroupName, labFolder, readProcess, writeProcess } from "./teardown.ts";

/** A folder of this machine that a host sees. */
export interface Bind {
  readonly from: string;
  readonly to: string;
  /** @default false */
  readonly writable?: boolean;
}

const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/**
 * The command that boots a host. It runs in a shell that has moved itself into the host's cgroups, which is where the
 * host's own cgroup namespace then starts.
 */
function bootProgram(prefix: string, host: string, binds: readonly Bind[]): string {
  const name = cgroupName(prefix, host);
  const folders = hostFolders(labFolder(prefix), host);
  const allBinds = [{ from: folders.state, to: "/var/lib", writable: true }, ...binds];
  const args = [
    `--directory=${folders.root}`,
    "--boot",
    "--quiet",
    "--register=no",
    "--keep-unit",
    `--machine=${name}`,
    `--hostname=${host}`,
    `--network-namespace-path=/run/netns/${hostNamespace(prefix, host)}`,
    "--capability=all",
    "--system-call-filter=~",
    "--resolv-conf=off",
    "--timezone=off",
    "--link-journal=no",
    "--console=pipe",
    "--bind=/dev/net/tun",
    "--bind=/dev/kmsg",
    ...allBinds.map(({ from, to, writable }) => `--bind${writable === true ? "" : "-ro"}=${from}:${to}`),
  ];
  const moves = makeCgroups(name).map((path) => `echo $$ >${quote(join(path, "cgroup.procs"))}`);
  return `${moves.join("\n")}\nexec systemd-nspawn ${args.map(quote).join(" ")}`;
}

/** Switches a host on. It returns when systemd-nspawn runs, long before the host answers. */
export function powerOn(prefix: string, host: string, binds: readonly Bind[]): void {
  const { home } = hostFolders(labFolder(prefix), host);
  if (readProcess(join(home, "pid")) !== undefined) throw new Error(`host ${host} runs already`);
  const log = openSync(join(home, "console.log"), "a");
  const child = spawn("bash", ["-euc", bootProgram(prefix, host, binds)], {
    detached: true,
    stdio: ["ignore", log, log],
    env: { PATH: process.env["PATH"], SYSTEMD_SECCOMP: "0", SYSTEMD_NSPAWN_API_VFS_WRITABLE: "yes" },
  });
  closeSync(log);
  if (child.pid === undefined) throw new Error(`host ${host}: bash did not start`);
  writeProcess(join(home, "pid"), child.pid);
  child.unref();
}

/** Whether sshd greets at an address. */
export function greets(address: string, seconds = 2): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(seconds * 1000, () => end(false));
    socket.once("error", () => end(false));
    socket.once("data", (data) => end(data.toString("latin1").startsWith("SSH-2.0")));
  });
}

/**
 * Waits until a host's sshd greets.
 * @throws Error with the last lines of the console, if the host has stopped or is not there in time
 */
export async function awaitSsh(prefix: string, host: string, address: string, seconds: number): Promise<void> {
  const { home } = hostFolders(labFolder(prefix), host);
  const console = (): string => readFileSync(join(home, "console.log"), "utf8").slice(-2000);
  try {
    await eventually(`SSH of host ${host}`, { seconds, every: 0.1 }, async () => {
      if (readProcess(join(home, "pid")) === undefined) throw new Error(`host ${host} has stopped`);
      return (await greets(address)) || undefined;
    });
  } catch (error) {
    throw new Error(`${String(error)}\nits console:\n${console()}`, { cause: error });
  }
}
