import { afterAll, beforeAll, expect, it } from "vitest";
import { mtusOf } from "../../components/network/mtu.ts";
import { connectMesh } from "../../provider/control/connect.ts";
import { HeadscaleControl } from "../../provider/control/headscale.ts";
import { diagnose } from "../../tools/doctor/diagnose.ts";
import type { Expectations, Target } from "../../tools/doctor/evidence.ts";
import type { DeviceList } from "../../tools/doctor/control.ts";
import { reportText } from "../../tools/doctor/report-text.ts";
import { reportOf, type DoctorReport } from "../../tools/doctor/report.ts";
import { fingerprint } from "../../tools/doctor/ssh.ts";
import { describeHosts } from "../support/lab/describe-hosts.ts";
import { MeshLab, MESH_PLAN, NODES, TAG } from "../support/lab/mesh.ts";
import { BUILD_BUDGET, MESH_PREREQUISITES } from "../support/lab/mesh-tools.ts";
import { pause } from "../support/lab/run.ts";

/** What a host of a region has beside the mesh: k3s that runs, flannel's interface with the pods' MTU, a clock that is kept. */
const NODE = `ip link add flannel.1 mtu 1230 type vxlan id 1 dev eth0 dstport 8472 nolearning && ip link set flannel.1 up
printf '#!/bin/sh\\necho yes\\n' >/usr/local/bin/timedatectl && chmod 755 /usr/local/bin/timedatectl
systemd-run --quiet --unit=UNIT sleep infinity`;

const roleOf = (name: string): "server" | "agent" => (name.startsWith("server") ? "server" : "agent");

describeHosts("the doctor, on a mesh of Tailscale and headscale over two sites", MESH_PREREQUISITES, () => {
  let mesh: MeshLab;
  let control: DeviceList;
  let targets: Target[];
  let expectations: Expectations;

  const lan = (name: string): string => mesh.lab.host(name).address;
  const targetOf = (name: string): Target => {
    const { address, hostKey } = mesh.lab.host(name);
    return { name, user: "root", host: address, port: 22, hostKey: hostKey.split(" ").slice(0, 2).join(" ") };
  };
  const look = async (more: { targets?: readonly Target[]; control?: DeviceList } = {}): Promise<DoctorReport> => {
    const privateKeys = [mesh.lab.privateKey];
    return reportOf("lab", await diagnose({ targets, expectations, privateKeys, control, ...more }));
  };
  const texts = ({ findings }: DoctorReport): string[] => findings.map(({ text }) => text).sort();
  /** Looks until exactly this is found: what was broken, or mended, takes a moment to show. */
  const finds = async (...wanted: readonly string[]): Promise<DoctorReport> => {
    let report = await look();
    for (let left = 8; left > 0 && texts(report).join() !== [...wanted].sort().join(); left--) {
      await pause(2000);
      report = await look();
    }
    expect(texts(report)).toEqual([...wanted].sort());
    return report;
  };

  beforeAll(async () => {
    mesh = await MeshLab.create();
    await Promise.all(
      NODES.map(async (node) => {
        await mesh.enter(node);
        await mesh.on(node, NODE.replace("UNIT", roleOf(node) === "server" ? "k3s" : "k3s-agent"));
      }),
    );
    const key = await mesh.on("control", "/opt/mirror/headscale apikeys create");
    const authorization = { Authorization: `Bearer ${key.trim()}` };
    control = new HeadscaleControl({ url: mesh.headscale.url, authorization: () => Promise.resolve(authorization) });
    // One of them through a jump host of the same site.
    targets = NODES.map((name) =>
      name === "agent-c" ? { ...targetOf(name), jump: targetOf("agent-b") } : targetOf(name),
    );
    const { tokyo, home } = MESH_PLAN.sites;
    expectations = {
      region: "lab",
      nodes: NODES.map((name) => ({ name, role: roleOf(name), site: mesh.lab.host(name).site, address: lan(name) })),
      sites: { tokyo: { lan: tokyo.lan, nodeAddresses: "lan" }, home: { lan: home.lan, nodeAddresses: "lan" } },
      mesh: { provider: "tailscale", interface: "tailscale0", tag: TAG, siteRule: true },
      mtus: mtusOf({ cni: "flannel", mesh: "tailscale" }),
      tunnel: "flannel.1",
      differences: [],
    };
  }, BUILD_BUDGET);
  afterAll(() => {
    mesh.lab.close();
  });

  it("finds nothing on a healthy mesh, and says how packets go", async () => {
    const report = await finds();
    console.log(`\n${reportText(report)}\n`);
    expect(report.notLookedAt).toEqual([]);
    expect(report.nodes.every(({ reached }) => reached)).toBe(true);
    for (const { clockOffset } of report.nodes) expect(Math.abs(clockOffset!)).toBeLessThan(1);
    expect(report.ways).toHaveLength(NODES.length * (NODES.length - 1));
    const pinged = report.ways.filter(({ latency }) => latency !== undefined);
    // A neighbour and one node of the other site each.
    expect(pinged).toHaveLength(NODES.length * 2);
    for (const way of pinged) {
      expect(way.device).toBe(way.over === "lan" ? "eth0" : "tailscale0");
      expect(way.large).toEqual({ bytes: 1280, passes: true });
    }
    for (const { over, path } of report.ways) if (over === "mesh") expect(path?.kind).toBe("direct");
  });

  it("finds the rules that somebody took out, and the unit that would set them", async () => {
    await mesh.on(
      "agent-a",
      "systemctl stop hybrid-k3s-mesh; ip -4 rule del priority 2500; ip -4 rule del priority 5300",
    );
    await finds(
      "agent-a: found hybrid-k3s-mesh.service inactive · allowed active",
      "agent-a: the rule that keeps neighbours on the LAN is not there, so their packets go through the mesh: found none · allowed to 10.214.1.0/24 lookup main, priority 2500",
      "agent-a: the rule that keeps other sites' packets out of the clear is not there: found none for 10.214.2.0/24 · allowed to each unreachable, priority 5300",
    );
    await mesh.on("agent-a", "systemctl restart hybrid-k3s-mesh");
  });

  it("finds a client that was ended and one that was switched off, and no way to them a second time", async () => {
    await mesh.on("agent-b", "systemctl stop tailscaled");
    await mesh.on("server-b", "tailscale down");
    await finds(
      "agent-b: Tailscale does not run: found tailscaled.service inactive · allowed active",
      "server-b: Tailscale is not in the mesh: found Stopped · allowed Running",
    );
    // As the fixes say.
    await mesh.on("agent-b", "systemctl start tailscaled hybrid-k3s-mesh");
    await mesh.on("server-b", "tailscale up");
    await finds();
  });

  it("finds an MTU that somebody lowered, and large packets that are lost on the way", async () => {
    await mesh.on("server-a", "ip link set tailscale0 mtu 1200");
    const drop = "INPUT -i eth0 -p icmp --icmp-type echo-request -m length --length 1270:1300 -j DROP";
    await mesh.on("server-b", `iptables -I ${drop}`);
    await finds(
      "server-a: the MTU of tailscale0: found 1200 · allowed 1280",
      `server-a: a packet of 1280 bytes does not pass to agent-c (${lan("agent-c")}) of site home through the mesh, small ones do, 1200 would`,
      `server-a: a packet of 1280 bytes does not pass to server-b (${lan("server-b")}) of site tokyo over the LAN, small ones do`,
    );
    await mesh.on("server-a", "ip link set tailscale0 mtu 1280");
    await mesh.on("server-b", `iptables -D ${drop}`);
  });

  it("finds what is wrong with k3s, its interface and the clock's keeper, on all hosts at once", async () => {
    await mesh.on("server-a", "systemctl stop k3s");
    await mesh.on("server-b", "ip link set flannel.1 mtu 1450");
    await mesh.on("agent-a", "ip link del flannel.1");
    await mesh.on("agent-b", "printf '#!/bin/sh\necho no\n' >/usr/local/bin/timedatectl");
    await finds(
      // What a transient unit is once it has ended.
      "server-a: k3s does not run: found k3s.service not-found · allowed active",
      "server-b: the MTU of flannel.1: found 1450 · allowed 1230",
      "agent-a: flannel.1 is not there, though k3s runs",
      "agent-b: no time service keeps its clock: timedatectl says that it is not synchronised",
    );
    await mesh.on("server-a", "systemd-run --quiet --unit=k3s sleep infinity");
    await mesh.on("server-b", "ip link set flannel.1 mtu 1230");
    await mesh.on("agent-a", NODE.split("\n")[0]!);
    await mesh.on("agent-b", "printf '#!/bin/sh\necho yes\n' >/usr/local/bin/timedatectl");
  });

  it("finds a key that expires, with the days that are left", async () => {
    const { id } = await mesh.headscale.device("agent-b");
    const expire = (words: string): Promise<string> =>
      mesh.on("control", `/opt/mirror/headscale nodes expire --force --identifier ${id} ${words}`);
    const end = new Date(Date.now() + 10 * 86_400_000 + 3_600_000).toISOString();
    await expire(`--expiry ${end.slice(0, 19)}Z`);
    await finds(
      `agent-b: its key in the mesh expires in 10 days, on ${end.slice(0, 10)}, and it falls out of the mesh then`,
    );
    await expire("--disable");
    await finds();
  });

  it("changes nothing on a host, and waits for nobody who works on it", async () => {
    await mesh.on("server-a", "touch /root/before; sleep 1.1");
    const update = mesh.lab.session("server-a", "flock /var/lock/hybrid-k3s.lock sleep 60");
    const [state, before] = ["ip -4 rule; ip -4 route show table all; ip -o link; iptables-save -t filter", Date.now()];
    const network = await mesh.on("server-a", `${state} | sed 's/\\[[0-9:]*\\]//g; /^#/d'`);
    await look();
    expect(Date.now() - before).toBeLessThan(30_000);
    expect(await mesh.on("server-a", `${state} | sed 's/\\[[0-9:]*\\]//g; /^#/d'`)).toBe(network);
    // The client's own state and logs are its own.
    const files = "find / -xdev -type f -newer /root/before -not -path '/proc/*' -not -path '/sys/*'";
    const own = "/var/lib/tailscale|/var/cache/tailscale|/var/log/|/run/|/var/lib/systemd/";
    expect(await mesh.on("server-a", `${files} | grep -vE '^(${own})' || true`)).toBe("");
    update.cut();
  });

  it("tells a closed port from a wrong host key from a refused login, and goes on with the others", async () => {
    const other = targetOf("control").hostKey;
    const changed: Readonly<Record<string, (target: Target) => Target>> = {
      "server-a": (target) => ({ ...target, port: 2022 }),
      "agent-a": (target) => ({ ...target, hostKey: other }),
      "agent-b": (target) => ({ ...target, user: "daemon" }),
      "agent-c": (target) => ({ ...target, jump: { ...targetOf("agent-b"), hostKey: other } }),
    };
    const report = await look({ targets: targets.map((target) => changed[target.name]?.(target) ?? target) });
    expect(report.nodes.filter(({ reached }) => reached).map(({ name }) => name)).toEqual(["server-b"]);
    const found = (name: string): string => fingerprint(targetOf(name).hostKey);
    expect(texts(report)).toEqual([
      `agent-a: the host key of ${lan("agent-a")} port 22 is not the pinned one: found ${found("agent-a")} · allowed ${fingerprint(other)}`,
      `agent-b: ${lan("agent-b")} port 22 refuses the login as daemon: daemon@${lan("agent-b")}: Permission denied (publickey).`,
      `agent-c: the host key of ${lan("agent-b")} port 22 is not the pinned one: found ${found("agent-b")} · allowed ${fingerprint(other)}`,
      `server-a: ${lan("server-a")} port 2022 does not answer: ssh: connect to host ${lan("server-a")} port 2022: Connection refused`,
    ]);
  });

  it("looks at the rest where it has no credential for the control plane, and says what it did not look at", async () => {
    const without = connectMesh({ control: "headscale", url: mesh.headscale.url }, {}).control;
    const report = await look({ control: without });
    expect(texts(report)).toEqual([]);
    expect(report.notLookedAt).toEqual([
      {
        what: "devices without a node and nodes without a device",
        why: `no credential for headscale at ${mesh.headscale.url} · fix: headscale apikeys create, then set mesh.apiKey as a secret, or HEADSCALE_API_KEY in the environment`,
      },
    ]);
  });

  it("finds that packets go by a relay where no direct path is left", async () => {
    mesh.lab.internet("relayed");
    const by = (node: string, to: string, site: string): string =>
      `${node}: packets to ${to} of site ${site} go through the relay lab, and not directly`;
    await finds(
      ...["server-a", "server-b", "agent-a"].map((node) => by(node, "agent-b, agent-c", "home")),
      ...["agent-b", "agent-c"].map((node) => by(node, "server-a, server-b, agent-a", "tokyo")),
    );
    mesh.lab.internet("udp");
    await finds();
  });

  it("finds a device without a node, and a node without a device", async () => {
    const { code, stderr } = await mesh.join("control", await mesh.headscale.createKey(TAG));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const stray = await mesh.headscale.device("control");
    await finds(
      `control (${stray.addresses[0]!}, id ${stray.id}, connected) carries ${TAG} and is a device without a node`,
    );
    await mesh.headscale.removeDevice(stray.id);
    await mesh.headscale.removeDevice((await mesh.headscale.device("agent-c")).id);
    await finds("agent-c: it is a node without a device: the mesh's control plane has none of its name");
  });
});
