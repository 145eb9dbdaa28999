import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const TOOLS: Readonly<Record<string, string>> = {
  ip: "iproute2",
  nft: "nftables",
  "systemd-nspawn": "systemd-container",
  mmdebstrap: "mmdebstrap",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  mount: "mount",
  bash: "bash",
};

const onPath = (tool: string): boolean =>
  [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"].some((folder) =>
    existsSync(join(folder, tool)),
  );

/**
 * What this machine lacks for booting lab hosts.
 * @param more tools that are needed beside the usual ones, with the Debian package of each
 * @returns one short reason each, such as `nft (Debian package nftables)`; empty when hosts can run
 */
export function prerequisites(more: Readonly<Record<string, string>> = {}): string[] {
  if (process.platform !== "linux") return [`Linux (this is ${process.platform})`];
  const missing: string[] = [];
  if (process.getuid?.() !== 0) missing.push("root");
  for (const [tool, debian] of Object.entries({ ...TOOLS, ...more })) {
    if (!onPath(tool)) missing.push(`${tool} (Debian package ${debian})`);
  }
  if (!existsSync("/dev/net/tun")) missing.push("/dev/net/tun");
  return missing;
}

/** Whether hosts must run: in CI, as root, a skip would hide that nothing was tested. */
export const hostsAreRequired = (): boolean => process.env["CI"] === "true" && process.getuid?.() === 0;
