import { afterAll, beforeAll, expect, it } from "vitest";
import { mtusOf } from "../../components/network/mtu.ts";
import { HeadscaleControl } from "../../provider/control/headscale.ts";
import { diagnose } from "../../tools/doctor/diagnose.ts";
import type { Expectations, Target } from "../../tools/doctor/evidence.ts";
import type { DeviceList } from "../../tools/doctor/control.ts";
import { reportText } from "../../tools/doctor/report-text.ts";
import { reportOf, type DoctorReport } from "../../tools/doctor/report.ts";
import { describeHosts } from "../support/lab/describe-hosts.ts";
import { MeshLab, MESH_PLAN, NODES, TAG, type Node } from "../support/lab/mesh.ts";
import { BUILD_BUDGET, MESH_PREREQUISITES } from "../support/lab/mesh-tools.ts";
import { succeeded } from "../support/lab/region.ts";
import { eventually } from "../support/lab/run.ts";

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
  /** Looks until nothing is found: what was broken has to heal before the next is. */
  const healthy = (): Promise<DoctorReport> =>
    eventually("nothing to be found", { seconds: 60, every: 1 }, async () => {
      const report = await look();
      return report.findings.length === 0 ? report : undefined;
    });

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
    const report = await healthy();
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
});
