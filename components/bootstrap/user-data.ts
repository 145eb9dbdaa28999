import { clientFunctions, firstBoot, type FirstBoot } from "../mesh/first-boot.ts";
import { firstFirewall } from "./first-firewall.ts";
import { SSHD_CONFIG, SSHD_CONFIG_PATH } from "./sshd-config.ts";

/** The Linux distributions that hybrid-k3s makes machines of. */
export const DISTRIBUTIONS = ["amazon-linux-2023", "debian-12", "debian-13", "ubuntu-24.04"] as const;
/** One of them. */
export type Distribution = (typeof DISTRIBUTIONS)[number];

/** What a machine's first boot is told. */
export interface UserData {
  readonly distribution: Distribution;
  /** The machine's SSH host key in OpenSSH form, made before the machine is: it is pinned from the first connection. */
  readonly hostPrivateKey: string;
  /** Its public half, in authorized_keys form. */
  readonly hostPublicKey: string;
  /** The mesh that the machine joins at once. @default none: it is reached at an address of its own */
  readonly join?: FirstBoot;
}

/** Written last by user data; the first script over SSH waits for it. */
export const BOOTSTRAP_MARKER = "/etc/hybrid-k3s/bootstrap";

/** Name of sshd's unit: Debian and Ubuntu call it after the protocol. */
const SSHD_UNIT: Readonly<Record<Distribution, string>> = {
  "amazon-linux-2023": "sshd",
  "debian-12": "ssh",
  "debian-13": "ssh",
  "ubuntu-24.04": "ssh",
};

const here = (path: string, mode: string, content: string): string =>
  `cat >${path} <<'HYBRID_K3S'\n${content.trimEnd()}\nHYBRID_K3S\nchmod ${mode} ${path}\n`;

/**
 * Shell for a machine's first boot. It makes the host the one that the first connection expects and closes what an image
 * leaves open; everything else comes over SSH, where it can be repeated.
 *
 * Small and stable on purpose: a cloud runs it once, shows it to whoever may read the machine's metadata, and replaces
 * the machine when it changes. So it never holds the login key, and nothing in it follows from a setting that can change.
 * With a mesh it does: it holds a key to that, which works once and expires within the hour, and the host firewall's rules
 * as they are when the machine is made. The cloud's firewall may still be at its default then, so the rules come first.
 * Sites ignore changes of it, and no change of it costs a machine.
 *
 * For `sh`, not bash: Lightsail puts a script of its own, which names `sh`, in front of it, and takes no cloud-config
 * (https://docs.aws.amazon.com/lightsail/latest/userguide/lightsail-how-to-configure-server-additional-data-shell-script.html).
 */
export function userData({ distribution, hostPrivateKey, hostPublicKey, join }: UserData): string {
  const unit = SSHD_UNIT[distribution];
  const firewall = join?.rules === undefined ? undefined : firstFirewall(unit, join.rules);
  const client = join === undefined ? "" : clientFunctions(join);
  return `#!/bin/sh
# hybrid-k3s: the host key and the login rules of this machine. Runs once, at the first boot.
set -eu
${firewall?.shut ?? ""}umask 077
mkdir -p /etc/hybrid-k3s /etc/ssh/sshd_config.d
exec >>/var/log/hybrid-k3s-bootstrap.log 2>&1
echo "bootstrap begins"
${firewall === undefined ? "" : client + firewall.stand}# Other host keys were made by the image: the one that is pinned is the only one that stays.
rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
for file in /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf; do
  [ ! -f "$file" ] || sed -i 's/^[[:space:]]*HostKey[[:space:]]/#&/' "$file"
done
${here("/etc/ssh/ssh_host_ed25519_key", "600", hostPrivateKey)}${here("/etc/ssh/ssh_host_ed25519_key.pub", "644", hostPublicKey)}${here(SSHD_CONFIG_PATH, "600", SSHD_CONFIG)}grep -qE '^[[:space:]]*Include[[:space:]]+/etc/ssh/sshd_config\\.d/' /etc/ssh/sshd_config ||
  sed -i '1i Include /etc/ssh/sshd_config.d/*.conf' /etc/ssh/sshd_config
# A rule that sshd does not know must not close the only way in.
mkdir -p /run/sshd
if ! sshd=$(command -v sshd); then sshd=/usr/sbin/sshd; fi
if ! "$sshd" -t; then
  printf 'HostKey /etc/ssh/ssh_host_ed25519_key\\nPasswordAuthentication no\\n' >${SSHD_CONFIG_PATH}
fi
${firewall?.open ?? `systemctl restart ${unit}\n${client}`}${join === undefined ? "" : firstBoot(join)}${firewall?.again ?? ""}echo ended >${BOOTSTRAP_MARKER}
echo "bootstrap ends"
`;
}
