import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { scriptFile } from "../../components/host/script-file.ts";
import { firstBoot } from "../../components/mesh/first-boot.ts";

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

/** Runs a node's turn with NetBird's settings on a host where the client is one of ours, which fails for some arguments. */
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
  case "$*" in ${failing}) echo "port in use"; return 1 ;; esac
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
  expect(setPreferences(settings("51820"), "51820", "up*")).toMatchObject({ status: 0, stderr: "", calls: [""] });
});

test("NetBird with other settings is taken down for a moment, and what it has now is written down", () => {
  const { status, kept, calls } = setPreferences(settings("51820"), "51830", "none");
  expect([status, kept, calls]).toEqual([0, settings("51830"), ["down", up("51830")]]);
});

test("NetBird that does not come up with other settings gets back what it had, and the next run tries again", () => {
  const { status, stderr, kept, calls } = setPreferences(settings("51820"), "51830", "*51830*");
  expect([status, kept, calls]).toEqual([1, settings("51820"), ["down", up("51830"), up("51820")]]);
  expect(stderr).toContain("NetBird does not come up with its settings: port in use\nwhat it had before is set again");
});

test.each([
  ["nobody wrote down", undefined],
  ["were lost half-way", ""],
])("NetBird whose settings %s comes up with what the client remembers", (_, before) => {
  const { status, stderr, calls } = setPreferences(before, "51830", "*51830*");
  expect([status, calls]).toEqual([1, ["down", up("51830"), "up"]]);
  expect(stderr).toContain("port in use\nwhat it had before is set again\nfix: look at");
});

test("NetBird that does not come back at all is said to be down", () => {
  const { status, stderr, kept, calls } = setPreferences(settings("51820"), "51830", "up*");
  expect([status, kept, calls]).toEqual([1, settings("51820"), ["down", up("51830"), up("51820")]]);
  expect(stderr).toContain("NetBird is down on this host: what it had before does not come up either\nfix: look at");
});

/** Runs the join of a machine's first boot, with a client of ours that prints its key, and no waiting. */
function firstJoin(provider: "netbird" | "tailscale", fails: boolean) {
  const folder = mkdtempSync(join(tmpdir(), "first-join-"));
  const text = firstBoot({ provider, version: "1", packages: "p", port: 51820, hostname: "mn-a", key: "SECRET-KEY" })
    .replaceAll("/etc/", `${folder}/etc/`)
    .replaceAll("/run/", `${folder}/run/`);
  const program = `set -eu
mkdir -p ${folder}/run ${folder}/etc/default ${folder}/etc/hybrid-k3s
touch ${folder}/etc/default/tailscaled
INTERFACES=cni0,veth
install_client() { return 0; }
systemctl() { return 0; }
timeout() { shift; "$@"; }
sleep() { until_second=0; }
${provider}() {
  [ "$1" = up ] || return 0
  echo "the service speaks"
  ${fails ? `case "$*" in *${folder}/run/*) cat ${folder}/run/hybrid-k3s-join; return 1 ;; esac` : ""}
}
${text}`;
  const { status, stdout, stderr } = spawnSync("sh", ["-c", program], { encoding: "utf8" });
  const written = join(folder, "etc/hybrid-k3s/netbird");
  const kept = existsSync(written) ? readFileSync(written, "utf8") : undefined;
  const left = readdirSync(join(folder, "run"));
  rmSync(folder, { recursive: true });
  return { status, stdout, stderr, kept, left };
}

describe.each(["netbird", "tailscale"] as const)("the join at a machine's first boot: %s", (provider) => {
  it("says nothing of what the client says, and writes down what NetBird came up with", () => {
    const { status, stdout, stderr, kept, left } = firstJoin(provider, false);
    expect([status, stdout, stderr]).toEqual([0, `the mesh: ${provider} 1 is installed and joins\n`, ""]);
    expect(kept).toBe(provider === "netbird" ? settings("51820") : undefined);
    expect(left).toEqual([]);
  });

  it("says why it could not, without a key that the client printed", () => {
    const { status, stdout, stderr, kept, left } = firstJoin(provider, true);
    expect([status, stderr, kept, left]).toEqual([0, "", undefined, []]);
    expect(stdout).toContain("the mesh is not joined: the client's words hold the key, and are not shown");
    expect(stdout).not.toContain("SECRET-KEY");
  });
});
