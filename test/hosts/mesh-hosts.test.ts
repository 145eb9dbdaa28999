import { afterAll, beforeAll, expect, it } from "vitest";
import { describeHosts } from "../support/lab/describe-hosts.ts";
import { LANS, meshPolicy, MeshLab, MESH_PLAN, NODES, TAG } from "../support/lab/mesh.ts";
import { BUILD_BUDGET, CLIENT_VERSIONS, MESH_PREREQUISITES } from "../support/lab/mesh-tools.ts";
import { succeeded } from "../support/lab/region.ts";
import { eventually } from "../support/lab/run.ts";

/** What a node's Tailscale may leave on a host, and what a host that was given back has none of. */
const LEFTOVERS = `ls -d /usr/bin/tailscale /usr/sbin/tailscaled /var/lib/tailscale /var/cache/tailscale /run/tailscale \
/etc/default/tailscaled /etc/apt/sources.list.d/tailscale.list /usr/share/keyrings/tailscale* /var/lib/apt/lists/*tailscale* \
/etc/systemd/system/hybrid-k3s* /etc/systemd/system/*/hybrid-k3s* /etc/systemd/system/*/tailscaled* /etc/systemd/system/k3s* \
/etc/systemd/networkd.conf.d /etc/sysctl.d/*mesh* /usr/local/lib/hybrid-k3s /run/hybrid-k3s* 2>/dev/null
dpkg-query -W tailscale 2>/dev/null; apt-mark showhold; ip -4 rule | grep -vE '^(0|32766|32767):'; ip -o link show tailscale0 2>/dev/null
iptables -S | grep ts-; systemctl list-units --all --plain --no-legend 'hybrid-k3s*' 'tailscale*'; true`;

describeHosts("a host's way into the mesh and out of it", MESH_PREREQUISITES, () => {
  let mesh: MeshLab;
  const addresses = new Map<string, string>();
  const usedKeys: string[] = [];

  const lan = (name: string): string => mesh.lab.host(name).address;
  /** A key that the test uses at once. */
  const newKey = async (): Promise<string> => {
    const key = await mesh.headscale.createKey(TAG);
    usedKeys.push(key);
    return key;
  };
  const inAllNodes = (work: (node: string) => Promise<void>): Promise<unknown> => Promise.all(NODES.map(work));

  beforeAll(async () => {
    mesh = await MeshLab.create();
  }, BUILD_BUDGET);
  afterAll(() => {
    mesh.lab.close();
  });

  it("installs nothing where the repository has no package of that version", async () => {
    const key = await mesh.headscale.createKey(TAG);
    const { code, stderr } = await mesh.join("server-a", key, { VERSION: "1.99.9" });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^tailscale 1\.99\.9 could not be installed: E: Version '1\.99\.9' for 'tailscale' was not found\n/,
    );
    expect(stderr).toContain(`fix: does ${mesh.packages} hold tailscale 1.99.9 for this distribution`);
    const elsewhere = await mesh.join("server-a", key, { PACKAGES: "file:///opt/mirror/nothing" });
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.stderr).toContain("could not fetch file:///opt/mirror/nothing/debian/bookworm.noarmor.gpg: ");
    expect(await mesh.works("server-a", "command -v tailscale")).toBe(false);
  });

  it("says that a key is wrong, and not the key", async () => {
    const wrong = "hskey-auth-000000000000-0000000000000000000000000000000000000000000000000000000000000000";
    const { code, stderr } = await mesh.join("server-a", wrong);
    expect(code).toBe(1);
    expect(stderr).toContain(`server-a could not join the tailnet at ${mesh.headscale.url}: backend error: `);
    expect(stderr).not.toContain(wrong);
  });

  it("joins every node by a key of its own, under its own name", async () => {
    await inAllNodes(async (node) => {
      const { code, stdout, stderr } = await mesh.join(node, await newKey());
      expect({ node, code, stderr }).toEqual({ node, code: 0, stderr: "" });
      expect(stdout).toMatch(new RegExp(`joined: ${node}, 100\\.64\\.0\\.\\d+\\n$`));
      addresses.set(node, (await mesh.status(node)).TailscaleIPs[0]!);
    });
    const devices = await mesh.headscale.devices();
    expect(devices.map(({ givenName }) => givenName).sort()).toEqual([...NODES].sort());
    expect(devices.every(({ tags }) => tags.join() === TAG)).toBe(true);
    // The key is neither on a disk nor in memory that looks like one.
    expect(await mesh.on("server-a", "grep -rlF hskey-auth- /etc /run /root /tmp /var/tmp 2>/dev/null || true")).toBe(
      "",
    );
  });

  it("does nothing where the host is in already, with a used key in its hand", async () => {
    const before = await mesh.on("server-a", "systemctl show tailscaled -p MainPID");
    expect((await mesh.join("server-a", usedKeys[0]!)).stdout).toMatch(/^in already: server-a, 100\.64\.0\.\d+\n$/);
    expect(await mesh.on("server-a", "systemctl show tailscaled -p MainPID")).toBe(before);
  });

  it("takes over no host that is in under another name, or in another tailnet", async () => {
    const named = await mesh.join("server-a", usedKeys[0]!, { NODE_NAME: "server-z" });
    expect(named.code).toBe(1);
    expect(named.stderr).toContain("in the tailnet under another name: found server-a · allowed server-z\n");
    const other = await mesh.join("server-a", usedKeys[0]!, { LOGIN_SERVER: "" });
    expect(other.code).toBe(1);
    expect(other.stderr).toContain(
      `in another tailnet already: found ${mesh.headscale.url} · allowed https://controlplane.tailscale.com\n`,
    );
    const converged = await mesh.node("server-a", "converge", { NODE_NAME: "server-z" });
    expect(converged.stderr).toContain("under another name: found server-a · allowed server-z\n");
  });

  it("fails where the policy approves no route of the site, and says what the policy must have", async () => {
    await mesh.headscale.setPolicy(meshPolicy([MESH_PLAN.sites.home.lan]));
    const { code, stderr } = await mesh.node("server-a", "converge");
    expect(code).toBe(1);
    expect(stderr).toBe(
      `the route ${lan("server-a")}/32 of server-a is advertised, but not approved within 60 s\n` +
        `fix: the tailnet's policy must hold it: "autoApprovers": { "routes": { "${MESH_PLAN.sites.tokyo.lan}": ["<the nodes' tag>"] } }; ` +
        "set mesh.policy to merge to let hybrid-k3s write that, or approve the route by hand\n",
    );
    await mesh.headscale.setPolicy(meshPolicy(LANS));
  });

  it("has every node's route approved, and none of a device beyond it", async () => {
    await inAllNodes(async (node) => {
      succeeded(await mesh.node(node, "converge"));
    });
    for (const device of await mesh.headscale.devices()) {
      const route = `${lan(device.givenName)}/32`;
      expect(device).toMatchObject({ approvedRoutes: [route], availableRoutes: [route] });
    }
    expect(await mesh.on("server-a", "apt-mark showhold; cat /proc/sys/net/ipv4/ip_forward")).toBe("tailscale\n1\n");
  });

  it("is at rest afterwards: a second run changes nothing", async () => {
    const state = "systemctl show tailscaled hybrid-k3s-mesh -p MainPID -p ActiveEnterTimestamp; ip -4 rule";
    const before = await mesh.on("agent-b", state);
    expect(succeeded(await mesh.node("agent-b", "converge")).stdout).toMatch(
      /^mesh: agent-b, 100\.64\.0\.\d+, Tailscale 1\.102\.4\n$/,
    );
    expect(await mesh.on("agent-b", state)).toBe(before);
  });

  it("upgrades the client in the node's turn, and keeps what the host's file says", async () => {
    const unknown = await mesh.node("agent-b", "converge", { VERSION: "1.99.9" });
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain("tailscale 1.99.9 could not be installed: ");
    expect((await mesh.status("agent-b")).Version).toBe(CLIENT_VERSIONS.first);
    const defaults = await mesh.on("agent-b", "cat /etc/default/tailscaled");
    const { stdout } = succeeded(await mesh.node("agent-b", "converge", { VERSION: CLIENT_VERSIONS.next }));
    expect(stdout).toContain(`tailscale: ${CLIENT_VERSIONS.first} → ${CLIENT_VERSIONS.next}\n`);
    expect((await mesh.status("agent-b")).Version).toBe(CLIENT_VERSIONS.next);
    expect(await mesh.on("agent-b", "cat /etc/default/tailscaled; apt-mark showhold")).toBe(`${defaults}tailscale\n`);
    expect((await mesh.status("agent-b")).TailscaleIPs[0]).toBe(addresses.get("agent-b"));
    expect(await mesh.interfaceTo("agent-b", lan("agent-c"))).toBe("eth0");
    await mesh.reaches("server-a", lan("agent-b"), 60);
  });

  it("moves to another static port", async () => {
    succeeded(await mesh.node("agent-b", "converge", { VERSION: CLIENT_VERSIONS.next, PORT: "41700" }));
    expect(await mesh.on("agent-b", "ss -Hlnu sport = :41700 | wc -l")).toMatch(/^[12]\n$/);
    await mesh.reaches("server-a", lan("agent-b"), 60);
  });

  it("refuses a host that would stand beside its predecessor, and takes its name once that is gone", async () => {
    await mesh.lab.start("agent-c", { wipe: true });
    const used = await mesh.join("agent-c", usedKeys[0]!);
    expect(used.code).toBe(1);
    expect(used.stderr).toContain(
      `agent-c could not join the tailnet at ${mesh.headscale.url}: backend error: authkey already used\n`,
    );
    expect(used.stderr).toContain("fix: does this host reach ");
    const beside = await mesh.join("agent-c", await newKey());
    expect(beside.code).toBe(1);
    expect(beside.stderr).toMatch(/in the tailnet under another name: found agent-c-\w+ · allowed agent-c\n/);
    for (const { id, givenName } of await mesh.headscale.devices()) {
      if (givenName.startsWith("agent-c")) await mesh.headscale.removeDevice(id);
    }
    // As a cloud's machine that is made anew: user data alone brings it in.
    await mesh.lab.start("agent-c", { wipe: true });
    const key = await newKey();
    const text = await mesh.userData("agent-c", key);
    const log = await mesh.firstBoot("agent-c", text);
    expect(log).toMatch(/the mesh: tailscale 1\.102\.4 is installed and joins\nbootstrap ends\nended\n$/);
    expect(log).not.toContain(key);
    expect(await mesh.works("agent-c", "ls /run/hybrid-k3s-join")).toBe(false);
    expect((await mesh.headscale.device("agent-c")).tags).toEqual([TAG]);
    expect((await mesh.join("agent-c", key)).stdout).toMatch(/^in already: agent-c, /);
    succeeded(await mesh.node("agent-c", "converge"));
    await mesh.reaches("server-a", lan("agent-c"), 60);
    await mesh.reaches("agent-c", lan("server-b"), 60);
    // Its neighbour on the LAN too, which has had its predecessor's address in its tables, and not through the tunnel.
    await mesh.reaches("agent-b", lan("agent-c"), 60);
    expect(await mesh.interfaceTo("agent-b", lan("agent-c"))).toBe("eth0");
  });

  it("says in the first boot's log why a machine is not in, and boots on", async () => {
    await mesh.lab.start("agent-a", { wipe: true });
    await mesh.headscale.removeDevice((await mesh.headscale.device("agent-a")).id);
    const text = await mesh.userData("agent-a", usedKeys[1]!);
    // Ten minutes are the first boot's; a test has one.
    const log = await mesh.firstBoot("agent-a", text.replace("+ 600))", "+ 20))"));
    expect(log).toContain(
      "the mesh is not joined: tailscale could not be started, or the key was refused: backend error: authkey already used\n",
    );
    expect(log).toMatch(/bootstrap ends\nended\n$/);
    expect(log).not.toContain(usedKeys[1]!);
  });

  it("leaves nothing on a host that is given back", async () => {
    expect(succeeded(await mesh.node("agent-c", "remove")).stdout).toBe("mesh: tailscale is off this host\n");
    expect(await mesh.on("agent-c", LEFTOVERS)).toBe("");
    expect(succeeded(await mesh.node("agent-c", "remove")).stdout).toBe("mesh: tailscale is off this host\n");
  });

  it("lets a connection through the mesh end in peace before it takes the host out", async () => {
    const identity = "cat >/root/identity && chmod 600 /root/identity";
    await mesh.lab.exec("server-a", identity, { input: mesh.lab.privateKey });
    const { stdout } = await mesh.removeThrough("server-a", "agent-b");
    expect(stdout).toBe("mesh: this connection goes through it, so it is left in 5 s, in the background\n");
    await eventually("agent-b to be out", { seconds: 60, every: 1 }, async () => {
      return (await mesh.on("agent-b", LEFTOVERS)) === "" || undefined;
    });
  });
});
