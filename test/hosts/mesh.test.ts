import { afterAll, beforeAll, expect, it } from "vitest";
import { describeHosts } from "../support/lab/describe-hosts.ts";
import { MeshLab, MESH_PLAN, NODES } from "../support/lab/mesh.ts";
import { renderTable, writeTable, type PairMeasure } from "../support/lab/mesh-table.ts";
import { BUILD_BUDGET, MESH_PREREQUISITES } from "../support/lab/mesh-tools.ts";
import { succeeded } from "../support/lab/region.ts";
import { eventually, pause } from "../support/lab/run.ts";
import { Vxlan } from "../support/lab/vxlan.ts";

/** A mesh's interface carries 1280; a VXLAN takes 50 of it. */
const MESH_MTU = 1280;
const POD_MTU = MESH_MTU - 50;
/** A LAN's 1500 less the same 50: what would pass where no mesh is in between. */
const LAN_POD_MTU = 1450;

const OUTAGE_SECONDS = 60;

describeHosts("a mesh of Tailscale and headscale over two sites", MESH_PREREQUISITES, () => {
  let mesh: MeshLab;
  let pods: Vxlan;
  const rows: PairMeasure[] = [];
  const addresses = new Map<string, string>();
  const lan = (name: string): string => mesh.lab.host(name).address;
  const inAllNodes = (work: (node: string) => Promise<void>): Promise<unknown> => Promise.all(NODES.map(work));
  /** Waits until the pods of two nodes talk. */
  const talks = (from: string, to: string, seconds = 60): Promise<void> =>
    mesh.reaches(from, pods.address(to), seconds);
  const restartClient = async (node: string): Promise<void> => {
    await mesh.on(node, "systemctl restart tailscaled && tailscale wait --timeout=30s");
  };
  /** Packets that a command makes a node send through the mesh. */
  const throughMesh = async (node: string, command: string): Promise<number> => {
    const before = await mesh.sent(node);
    await mesh.on(node, command);
    return (await mesh.sent(node)) - before;
  };

  beforeAll(async () => {
    mesh = await MeshLab.create();
    pods = new Vxlan(mesh, NODES);
    await inAllNodes(async (node) => {
      await mesh.enter(node);
      addresses.set(node, (await mesh.status(node)).TailscaleIPs[0]!);
    });
  }, BUILD_BUDGET);
  afterAll(() => {
    mesh.lab.close();
  });

  it("sends neighbours' packets over the LAN and the others' through the mesh", async () => {
    for (const [from, to, device] of [
      ["server-a", "server-b", "eth0"],
      ["server-a", "agent-a", "eth0"],
      ["agent-b", "agent-c", "eth0"],
      ["server-a", "agent-b", "tailscale0"],
      ["agent-c", "server-b", "tailscale0"],
    ] as const) {
      expect([from, to, await mesh.interfaceTo(from, lan(to))]).toEqual([from, to, device]);
      await mesh.reaches(from, lan(to), 30);
    }
    expect(await throughMesh("server-a", `ping -q -c 20 -i 0.02 ${lan("server-b")}`)).toBeLessThan(10);
    expect(await throughMesh("server-a", `ping -q -c 20 -i 0.02 ${lan("agent-b")}`)).toBeGreaterThanOrEqual(20);
  });

  it("would send neighbours' packets through the mesh without the site's rule", async () => {
    succeeded(await mesh.node("server-a", "converge", { SITE_RULE: "no" }));
    expect(await mesh.interfaceTo("server-a", lan("server-b"))).toBe("tailscale0");
    expect(await throughMesh("server-a", `ping -q -c 20 -i 0.02 ${lan("server-b")}`)).toBeGreaterThanOrEqual(20);
    succeeded(await mesh.node("server-a", "converge"));
    expect(await mesh.interfaceTo("server-a", lan("server-b"))).toBe("eth0");
  });

  it("keeps its rules when networkd restarts, and sets them again where somebody took them out", async () => {
    const rules = "ip -4 rule show priority 2500; ip -4 rule show priority 5300";
    const before = await mesh.on("agent-a", rules);
    expect(before.split("\n")).toHaveLength(3);
    // networkd has something to manage. Without udev it manages links only where /sys cannot be written.
    const network = "[Match]\nName=br7\n[Network]\nLinkLocalAddressing=no\nConfigureWithoutCarrier=yes\n";
    await mesh.lab.exec("agent-a", "install -m 0644 /dev/stdin /etc/systemd/network/10-lab.network", {
      input: network,
    });
    await mesh.on("agent-a", "mount -o remount,ro,bind /sys && ip link add br7 type bridge && ip link set br7 up");
    await mesh.on("agent-a", "systemctl restart systemd-networkd");
    const link = "networkctl --no-legend --no-pager list br7";
    await eventually(
      "networkd",
      { seconds: 20 },
      async () => (await mesh.on("agent-a", link)).includes("configured") || undefined,
    );
    // The word to networkd, which is not root, and without the unit, which would put the rules back.
    const word = "/etc/systemd/networkd.conf.d/91-hybrid-k3s-mesh.conf";
    expect(await mesh.on("agent-a", `runuser -u systemd-network -- cat ${word}`)).toContain(
      "ManageForeignRoutingPolicyRules=no",
    );
    await mesh.on("agent-a", "systemctl stop hybrid-k3s-mesh && systemctl restart systemd-networkd && sleep 2");
    expect(await mesh.on("agent-a", rules)).toBe(before);
    const without = "ip -4 rule del priority 2500; ip -4 rule del priority 5300";
    for (const again of [
      "systemctl restart tailscaled",
      "systemctl restart systemd-networkd",
      "systemctl restart hybrid-k3s-mesh",
    ]) {
      await mesh.on("agent-a", `systemctl start hybrid-k3s-mesh && ${without} && ${again}`);
      await eventually(
        `the rules, by ${again}`,
        { seconds: 20 },
        async () => (await mesh.on("agent-a", rules)) === before || undefined,
      );
    }
    await mesh.on("agent-a", without);
    succeeded(await mesh.node("agent-a", "converge"));
    expect(await mesh.on("agent-a", rules)).toBe(before);
    await mesh.on(
      "agent-a",
      "systemctl stop systemd-networkd.socket systemd-networkd; ip link del br7; mount -o remount,rw,bind /sys",
    );
  });

  it("carries a pod network between all nodes, at the MTU that the layers leave and not a byte more", async () => {
    await inAllNodes((node) => pods.make(node, POD_MTU));
    for (const from of NODES) {
      for (const to of NODES) {
        if (from === to) continue;
        await talks(from, to);
        expect([from, to, await pods.passes(from, to, POD_MTU)]).toEqual([from, to, true]);
        expect([from, to, await pods.passes(from, to, POD_MTU + 1)]).toEqual([from, to, false]);
      }
    }
  });

  it("has its edge in the mesh itself, not in what an interface was told", async () => {
    await pods.setMtu(LAN_POD_MTU);
    expect(await pods.edge("server-a", "server-b")).toBe(LAN_POD_MTU);
    expect(await pods.edge("server-a", "agent-b")).toBe(POD_MTU);
    expect(await pods.edge("agent-c", "agent-a")).toBe(POD_MTU);
    await pods.setMtu(POD_MTU);
  });

  it("carries a transfer through while the client restarts on every node in turn", async () => {
    const chunks = 250;
    const receive = (node: string) => mesh.on(node, "timeout 240 socat -u TCP-LISTEN:5001,reuseaddr - | wc -c", 300);
    const send = (node: string, to: string) =>
      mesh.on(
        node,
        `sleep 0.5; for chunk in $(seq ${chunks}); do head -c 65536 /dev/zero; sleep 0.2; done | socat -u - TCP:${pods.address(to)}:5001`,
        300,
      );
    const transfers = Promise.all([
      receive("agent-b"),
      receive("server-b"),
      send("server-a", "agent-b"),
      send("agent-c", "server-b"),
    ]);
    await pause(3000);
    for (const node of NODES) {
      await restartClient(node);
      await pause(3000);
    }
    const [first, second] = await transfers;
    expect([Number(first), Number(second)]).toEqual([chunks * 65_536, chunks * 65_536]);
    for (const node of NODES) expect((await mesh.status(node)).TailscaleIPs[0]).toBe(addresses.get(node));
  });

  it("sends pods' packets nowhere, and not in the clear, while the client is down", async () => {
    const clear = "nft list table ip clear | grep -o 'packets [0-9]*'";
    await mesh.on(
      "server-a",
      "nft 'add table ip clear; add chain ip clear out { type filter hook output priority 0; }' && " +
        `nft add rule ip clear out oifname eth0 ip daddr ${MESH_PLAN.sites.home.lan} udp dport 8472 counter`,
    );
    await mesh.on("server-a", "systemctl stop tailscaled");
    expect(await mesh.works("server-a", `ping -q -c 3 -W 1 ${pods.address("agent-b")}`)).toBe(false);
    expect(await mesh.works("server-a", `ping -q -c 3 -W 1 ${pods.address("server-b")}`)).toBe(true);
    expect(await mesh.on("server-a", clear)).toBe("packets 0\n");
    await mesh.on("server-a", "systemctl start tailscaled hybrid-k3s-mesh && nft delete table ip clear");
    await talks("server-a", "agent-b");
  });

  it("goes on inside the sites while the internet is cut for a minute, and everywhere when it is back", async () => {
    mesh.lab.internet("cut");
    try {
      const end = Date.now() + OUTAGE_SECONDS * 1000;
      while (Date.now() < end) {
        expect(await mesh.works("server-a", `ping -q -c 2 -i 0.2 -W 2 ${pods.address("server-b")}`)).toBe(true);
        expect(await mesh.works("agent-b", `ping -q -c 2 -i 0.2 -W 2 ${pods.address("agent-c")}`)).toBe(true);
        await pause(5000);
      }
      expect(await mesh.works("server-a", `ping -q -c 1 -W 2 ${pods.address("agent-b")}`)).toBe(false);
    } finally {
      mesh.lab.internet("udp");
    }
    await talks("server-a", "agent-b", 120);
    await talks("agent-c", "server-b", 120);
  });

  it("measures the ways between nodes: over the LAN, direct, and by the relay", async () => {
    const measure = async (from: string, to: string, path: PairMeasure["path"]): Promise<void> => {
      const [latency, throughput] = [await pods.latency(from, to), await pods.throughput(from, to)];
      await pods.setMtu(LAN_POD_MTU);
      const edge = await pods.edge(from, to);
      await pods.setMtu(POD_MTU);
      rows.push({ pair: `${from} – ${to}`, path, latency, throughput, edge });
    };
    await measure("server-a", "server-b", "LAN");
    await eventually("a direct path", { seconds: 60, every: 1 }, async () => {
      await mesh.works("server-a", `ping -q -c 2 -W 1 ${lan("agent-b")}`);
      return (await mesh.path("server-a", "agent-b")).direct || undefined;
    });
    await measure("server-a", "agent-b", "mesh, direct");
    mesh.lab.internet("relayed");
    try {
      await eventually("the relay", { seconds: 120, every: 1 }, async () => {
        const arrives = await mesh.works("server-a", `ping -q -c 2 -W 1 ${lan("agent-b")}`);
        return (arrives && !(await mesh.path("server-a", "agent-b")).direct) || undefined;
      });
      await measure("server-a", "agent-b", "mesh, relayed");
    } finally {
      mesh.lab.internet("udp");
    }
    expect(rows.map(({ edge }) => edge)).toEqual([LAN_POD_MTU, POD_MTU, POD_MTU]);
    await eventually("a direct path again", { seconds: 120, every: 1 }, async () => {
      await mesh.works("server-a", `ping -q -c 2 -W 1 ${lan("agent-b")}`);
      return (await mesh.path("server-a", "agent-b")).direct || undefined;
    });
  });

  it("writes its table", () => {
    const table = renderTable(rows);
    console.log(`\n${table}\n`);
    if (process.env["MESH_TABLE"] === "write") writeTable(new URL("../../docs/mesh.md", import.meta.url), table);
    expect(rows.map(({ path }) => path)).toEqual(["LAN", "mesh, direct", "mesh, relayed"]);
  });
});
