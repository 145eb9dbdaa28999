import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const scripts = new URL("../../components/", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, scripts), "utf8");
const prelude = read("host/scripts/prelude.sh");
const nodeScript = read("k3s/scripts/k3s-node.sh");
const functionOf = (name: string): string =>
  new RegExp(`^${name}\\(\\) \\{[\\s\\S]*?^\\}`, "m").exec(nodeScript)?.[0] ?? "";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "node-interface-"));
  for (const name of ["bin", "etc", "etc/config.yaml.d"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "etc/config.yaml"), "node-ip: 10.30.0.3\nnode-name: a\n");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Runs the function on a host whose default route leaves by one interface and whose private address is on another. */
function place(defaultDevice: string, privateDevice: string) {
  const ip = join(folder, "bin/ip");
  writeFileSync(
    ip,
    `#!/bin/sh
case "$*" in
  "-4 -o address show to 10.30.0.3/32") [ -z "${privateDevice}" ] || echo "3: ${privateDevice}    inet 10.30.0.3/32 scope global dynamic" ;;
  "-4 -o route show default") [ -z "${defaultDevice}" ] || echo "default via 172.31.1.1 dev ${defaultDevice} proto dhcp" ;;
  *) exit 9 ;;
esac
`,
  );
  chmodSync(ip, 0o755);
  // Nothing is waited for: the address is there, or it never comes.
  const functions = [functionOf("place_interface").replace("SECONDS + 60", "SECONDS"), functionOf("put_or_remove")];
  const program = `${prelude}\netc=${folder}/etc NODE_NAME=a pending=${folder}/pending changed=no\n${functions.join("\n")}\nplace_interface\necho "$changed"\n`;
  // Without a home there is no .bashrc, which bash reads when its standard input is a socket, as here.
  const env = { PATH: `${folder}/bin:${process.env["PATH"] ?? ""}`, HOME: "/nonexistent" };
  return spawnSync("/bin/bash", ["-c", program], { encoding: "utf8", env });
}
const file = (): string => readFileSync(join(folder, "etc/config.yaml.d/05-interface.yaml"), "utf8");

test("a host with an address of its own on the internet: flannel is told the private interface", () => {
  expect(place("eth0", "enp7s0")).toMatchObject({ status: 0, stdout: "yes\n" });
  expect(file()).toBe("flannel-iface: enp7s0\n");
  expect(place("eth0", "enp7s0").stdout).toBe("no\n");
});

test("a host without any default route is told too", () => {
  expect(place("", "enp7s0").status).toBe(0);
  expect(file()).toBe("flannel-iface: enp7s0\n");
});

test("a host with one interface: nothing is said, and what was is taken back", () => {
  expect(place("eth0", "eth0")).toMatchObject({ status: 0, stdout: "no\n" });
  expect(file).toThrow("ENOENT");
  place("eth0", "enp7s0");
  expect(place("eth0", "eth0").status).toBe(0);
  expect(file).toThrow("ENOENT");
});

test("a host without the address: it is named, and what to look at", () => {
  expect(place("eth0", "")).toMatchObject({
    status: 1,
    stderr:
      "no interface of this host has the address 10.30.0.3 of a\nfix: look at ip address there: is the private network attached, and the address right?\n",
  });
});
