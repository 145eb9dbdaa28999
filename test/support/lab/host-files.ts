import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { attempt, run } from "./run.ts";

/** An SSH key pair as OpenSSH writes it. */
export interface KeyPair {
  /** Private key text, OpenSSH form. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly publicKey: string;
}

/** What is written into a host before its first boot. */
export interface HostContent {
  readonly name: string;
  readonly hostKey: KeyPair;
  /** Who may log in as root, and as `ops`, who may become root by sudo. */
  readonly authorizedKey: string;
  /** Name and address of every host of the lab. */
  readonly neighbours: readonly { readonly name: string; readonly address: string }[];
}

/** The folders of one host, below the lab's own. */
export interface HostFolders {
  /** The host's folder. */
  readonly home: string;
  /** Where the root file system is mounted: the shared one below, the host's changes above. */
  readonly root: string;
  /** The host's `/var/lib`: a plain folder, for containerd cannot put an overlay on an overlay. */
  readonly state: string;
}

/** The folders of a host. */
export const hostFolders = (lab: string, name: string): HostFolders => {
  const home = join(lab, "hosts", name);
  return { home, root: join(home, "root"), state: join(home, "var-lib") };
};

const OPS_UID = 1000;

/** Units that only cost time in a host that lives for minutes. */
const MASKED_UNITS = [
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "dpkg-db-backup.timer",
  "e2scrub_all.timer",
  "e2scrub_reap.service",
  "fstrim.timer",
  "console-getty.service",
  "getty@tty1.service",
  "systemd-pstore.service",
  "systemd-networkd-wait-online.service",
  "systemd-timesyncd.service",
];

const SSHD = `HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
PermitRootLogin prohibit-password
UseDNS no
MaxStartups 100
`;

/** systemd-nspawn mounts the cgroup controllers read-only; a kubelet must write to them. */
const CGROUPS_UNIT = `[Unit]
Description=cgroup controllers writable for a kubelet
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/lib/lab/cgroups

[Install]
WantedBy=sysinit.target
`;

const CGROUPS_PROGRAM = `#!/bin/bash
set -u
mount -o remount,rw /sys/fs/cgroup || true
for controller in /sys/fs/cgroup/*; do
  name=\${controller##*/}
  [ -d "$controller" ] && [ ! -L "$controller" ] && [ "$name" != systemd ] && [ "$name" != unified ] || continue
  mountpoint -q "$controller" || continue
  mount -o remount,rw "$controller" 2>/dev/null && continue
  umount "$controller" && mount -t cgroup -o "$name" cgroup "$controller"
done
exit 0
`;

/** k3s loads images that lie in its data folder; the lab has no registry, and an uninstalled k3s takes the folder along. */
const IMAGES_DROP_IN = `[Service]
ExecStartPre=-/bin/sh -c 'test ! -e /opt/mirror/images.tar || install -D -m 0644 /opt/mirror/images.tar /var/lib/rancher/k3s/agent/images/lab.tar'
`;

function write(root: string, path: string, text: string, mode = 0o644): void {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  rmSync(target, { force: true });
  writeFileSync(target, text, { mode });
}

function writeUsers(root: string, content: HostContent): void {
  write(root, "root/.ssh/authorized_keys", `${content.authorizedKey}\n`, 0o600);
  write(root, "home/ops/.ssh/authorized_keys", `${content.authorizedKey}\n`, 0o600);
  for (const path of ["home/ops", "home/ops/.ssh", "home/ops/.ssh/authorized_keys"]) {
    chownSync(join(root, path), OPS_UID, OPS_UID);
  }
  write(root, "etc/sudoers.d/ops", "ops ALL=(ALL) NOPASSWD:ALL\n", 0o440);
  run("chroot", [root, "sh", "-c", `id ops >/dev/null 2>&1 || useradd --uid ${OPS_UID} --shell /bin/bash ops`], 20);
  chmodSync(join(root, "root/.ssh"), 0o700);
}

function writeUnits(root: string): void {
  const units = join(root, "etc/systemd/system");
  for (const unit of MASKED_UNITS) {
    rmSync(join(units, unit), { force: true });
    symlinkSync("/dev/null", join(units, unit));
  }
  // The kernel's log is the machine's, not the host's.
  write(root, "etc/systemd/journald.conf.d/lab.conf", "[Journal]\nReadKMsg=no\n");
  write(root, "usr/local/lib/lab/cgroups", CGROUPS_PROGRAM, 0o755);
  write(root, "usr/lib/systemd/system/lab-cgroups.service", CGROUPS_UNIT);
  mkdirSync(join(units, "sysinit.target.wants"), { recursive: true });
  const wanted = join(units, "sysinit.target.wants/lab-cgroups.service");
  rmSync(wanted, { force: true });
  symlinkSync("/usr/lib/systemd/system/lab-cgroups.service", wanted);
  for (const unit of ["k3s", "k3s-agent"]) {
    write(root, `usr/lib/systemd/system/${unit}.service.d/lab-images.conf`, IMAGES_DROP_IN);
  }
}

/** Writes what makes a host this host: name, keys, users, units. */
function writeContent(root: string, content: HostContent): void {
  write(root, "etc/hostname", `${content.name}\n`);
  write(root, "etc/machine-id", `${randomBytes(16).toString("hex")}\n`);
  const lines = content.neighbours.map(({ name, address }) => `${address} ${name}\n`);
  write(root, "etc/hosts", `127.0.0.1 localhost\n${lines.join("")}`);
  write(root, "etc/resolv.conf", "");
  write(root, "etc/ssh/ssh_host_ed25519_key", content.hostKey.privateKey, 0o600);
  write(root, "etc/ssh/ssh_host_ed25519_key.pub", `${content.hostKey.publicKey}\n`);
  write(root, "etc/ssh/sshd_config.d/lab.conf", SSHD);
  writeUsers(root, content);
  writeUnits(root);
}

/** Whether a path is a mount point now. */
export const isMounted = (path: string): boolean => attempt("mountpoint", ["-q", path], 10).code === 0;

/** Makes a host's disk from the shared root file system, as good as new. About 0.1 s. */
export function makeDisk(base: string, folders: HostFolders, content: HostContent): void {
  for (const folder of ["upper", "work", "root"]) mkdirSync(join(folders.home, folder), { recursive: true });
  const layers = `lowerdir=${base},upperdir=${join(folders.home, "upper")},workdir=${join(folders.home, "work")}`;
  run("mount", ["-t", "overlay", "overlay", "-o", layers, folders.root], 20);
  writeContent(folders.root, content);
  cpSync(join(base, "var/lib"), folders.state, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
}

/** Takes a host's disk away. @throws Error if it cannot be unmounted */
export function removeDisk(folders: HostFolders): void {
  if (existsSync(folders.root) && isMounted(folders.root)) run("umount", ["-R", folders.root], 20);
  rmSync(folders.home, { recursive: true, force: true });
}

/** Makes an Ed25519 key pair. */
export function makeKeyPair(folder: string, comment: string): KeyPair {
  const file = join(folder, `key-${randomBytes(4).toString("hex")}`);
  mkdirSync(folder, { recursive: true });
  run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file], 20);
  const read = (path: string): string => run("cat", [path], 5);
  const pair = { privateKey: read(file), publicKey: read(`${file}.pub`).split(" ").slice(0, 2).join(" ").trim() };
  for (const path of [file, `${file}.pub`]) rmSync(path);
  return pair;
}
