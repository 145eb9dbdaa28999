import { spawnSync } from "node:child_process";
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
