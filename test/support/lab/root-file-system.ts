import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { run } from "./run.ts";

const SUITE = "bookworm";

/** What a host has beyond a minimal Debian: what a server image of a cloud has too. */
const PACKAGES = [
  "systemd",
  "systemd-sysv",
  "dbus",
  "openssh-server",
  "iproute2",
  "iptables",
  "nftables",
  "ca-certificates",
  "curl",
  "kmod",
  "procps",
  "iputils-ping",
  "conntrack",
  "socat",
  "ethtool",
  "sudo",
] as const;

const BUILD_SECONDS = 900;

/** Where this user's labs keep what is worth keeping between runs. */
export function labCache(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "hybrid-k3s", "lab");
}

/** The folder of the root file system that all hosts share; its name changes with the list of packages. */
export function rootFileSystemPath(): string {
  const hash = createHash("sha256")
    .update([SUITE, ...PACKAGES].join("\n"))
    .digest("hex");
  return join(labCache(), `${SUITE}-${hash.slice(0, 12)}`);
}

/**
 * The root file system, built by mmdebstrap the first time (about 50 s, 250 MB).
 * A build goes to a folder of its own and is renamed when complete, so that an interrupted one is never used.
 * @throws Error with mmdebstrap's last lines when the packages cannot be had
 */
export function rootFileSystem(say: (line: string) => void = console.log): string {
  const path = rootFileSystemPath();
  if (existsSync(path)) return path;
  mkdirSync(labCache(), { recursive: true });
  const building = `${path}.building-${process.pid}`;
  say(`building the hosts' Debian in ${path} (about a minute, once)`);
  try {
    const include = `--include=${PACKAGES.join(",")}`;
    run("mmdebstrap", ["--quiet", "--variant=minbase", include, SUITE, building], BUILD_SECONDS);
    if (!existsSync(path)) renameSync(building, path);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return path;
}
