import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scriptFile } from "../../components/host/script-file.ts";

const part = (name: string): string =>
  scriptFile(new URL(`../../components/mesh/scripts/${name}.sh`, import.meta.url)).body;

/** Runs NetBird's check of its own address on a host that has Tailscale, or not. */
function checkRange(address: string, tailscale: boolean) {
  const program = `set -eu
fail() { printf '%s\\n' "$@" >&2; exit 1; }
ip() { ${tailscale ? "echo '5: tailscale0    inet 100.100.0.7/32 scope global tailscale0'" : "return 1"}; }
${part("netbird-client")}
mesh_address=${address}
check_range`;
  const { status, stderr } = spawnSync("bash", ["-c", program], { encoding: "utf8" });
  return { status, stderr };
}

test.each(["100.64.0.1", "100.90.3.4", "100.127.255.254"])("NetBird at %s beside Tailscale is refused", (address) => {
  const { status, stderr } = checkRange(address, true);
  expect(status).toBe(1);
  expect(stderr).toContain(
    `found the NetBird address ${address} · allowed one outside of it\nfix: give the NetBird account`,
  );
});

test.each(["10.200.0.4", "100.63.0.1", "100.128.0.1"])("NetBird at %s beside Tailscale is fine", (address) => {
  expect(checkRange(address, true)).toEqual({ status: 0, stderr: "" });
});

test("NetBird in its own range is fine where there is no Tailscale", () => {
  expect(checkRange("100.90.3.4", false)).toEqual({ status: 0, stderr: "" });
});

/** Runs a node's turn with NetBird's settings on a host where the client is one of ours, which fails for some ports. */
function setPreferences(before: string | undefined, port: string, failing: string) {
  const folder = mkdtempSync(join(tmpdir(), "netbird-settings-"));
  const file = join(folder, "netbird");
  if (before !== undefined) writeFileSync(file, before);
  const program = `set -eu
ACTION=none NODE_NAME=mn-a VERSION=1 PACKAGES=p INTERFACES=cni0,veth
fail() { printf '%s\n' "$@" >&2; exit 1; }
timeout() { shift; "$@"; }
netbird() {
  echo "$*" >>${folder}/calls
  case "$*" in *"--wireguard-port ${failing} "*) echo "port in use"; return 1 ;; esac
}
put_file() { printf %s "$3" >"$1"; }
last_line() { tail -n 1 <<<"$1"; }
${part("netbird-client")}
NETBIRD_SETTINGS=${file}
${part("netbird-node").split("case $ACTION in")[0]}
PORT=${port} server=https://api.netbird.io
set_preferences`;
  const { status, stderr } = spawnSync("bash", ["-c", program], { encoding: "utf8" });
  const read = (name: string): string => (existsSync(name) ? readFileSync(name, "utf8") : "");
  const result = { status, stderr, kept: read(file), calls: read(join(folder, "calls")).trim().split("\n") };
  rmSync(folder, { recursive: true });
  return result;
}

const settings = (port: string): string => `port=${port} interfaces=cni0,veth server=https://api.netbird.io`;
const up = (port: string): string =>
  `up --management-url https://api.netbird.io --hostname mn-a --disable-dns --disable-auto-connect=false --network-monitor=false --wireguard-port ${port} --extra-iface-blacklist cni0,veth`;

test("NetBird that has its settings from the join is not taken down", () => {
  expect(setPreferences(settings("51820"), "51820", "none")).toMatchObject({ status: 0, stderr: "", calls: [""] });
});

test("NetBird with other settings is taken down for a moment, and what it has now is written down", () => {
  const { status, kept, calls } = setPreferences(settings("51820"), "51830", "none");
  expect([status, kept, calls]).toEqual([0, settings("51830"), ["down", up("51830")]]);
});

test("NetBird that does not come up with other settings gets back what it had, and the next run tries again", () => {
  const { status, stderr, kept, calls } = setPreferences(settings("51820"), "51830", "51830");
  expect([status, kept, calls]).toEqual([1, settings("51820"), ["down", up("51830"), up("51820")]]);
  expect(stderr).toContain("NetBird does not come up with its settings: port in use\nwhat it had before is set again");
});
