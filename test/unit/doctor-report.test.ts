import { describe, expect, it } from "vitest";
import { reportText } from "../../tools/doctor/report-text.ts";
import { reportOf } from "../../tools/doctor/report.ts";
import { deviceOf, healthy, unreached, WITHOUT_MESH, withNodes } from "../support/doctor-evidence.ts";

const broken = () => {
  const list = [...["s-1", "s-2", "a-1", "a-2"].map((name) => deviceOf(name)), deviceOf("old", { id: "7" })];
  const evidence = withNodes(
    { ...healthy(), devices: { list } },
    {
      "s-1": { ways: { "a-2": { path: { kind: "relayed", through: "tok" } } } },
      "s-2": { facts: { units: { tailscaled: "active", "hybrid-k3s-mesh": "failed", k3s: "failed" } } },
      "a-2": { ways: { "s-2": { large: { bytes: 1280, passes: false, limit: 1200 } } } },
    },
  );
  return unreached(evidence, "a-1", { phase: "tcp", word: "no answer" });
};

describe("the report of a region that is well", () => {
  it("is a line or two a node, a table of ways, and that nothing was found", () => {
    expect(reportText(reportOf("prod", healthy()))).toMatchInlineSnapshot(`
      "doctor of prod: region tokyo, 4 nodes, tailscale

      home
        a-1  agent, 10.30.0.21, by ops@10.30.0.21
          well   ssh · Running, 100.64.0.3 · key without an end · rules and routes · flannel.1 1230, 1280 bytes pass · 2 direct · clock +0.01 s · k3s-agent active
        a-2  agent, 10.30.0.22, by ops@10.30.0.22
          well   ssh · Running, 100.64.0.4 · key without an end · rules and routes · flannel.1 1230, 1280 bytes pass · 2 direct · clock +0.01 s · k3s-agent active

      tokyo
        s-1  server, 10.20.0.11, by ops@10.20.0.11
          well   ssh · Running, 100.64.0.1 · key without an end · rules and routes · flannel.1 1230, 1280 bytes pass · 2 direct · clock +0.01 s · k3s active
        s-2  server, 10.20.0.12, by ops@10.20.0.12
          well   ssh · Running, 100.64.0.2 · key without an end · rules and routes · flannel.1 1230, 1280 bytes pass · 2 direct · clock +0.01 s · k3s active

      from  to   path    ms    1280 bytes
      a-1   s-1  direct  41.7  pass
      a-1   a-2  LAN     0.20  pass
      a-2   s-2  direct  41.7  pass
      a-2   a-1  LAN     0.20  pass
      s-1   s-2  LAN     0.20  pass
      s-1   a-1  direct  41.7  pass
      s-2   s-1  LAN     0.20  pass
      s-2   a-2  direct  41.7  pass
      and 4 more ways through the mesh, all direct

      nothing found: 4 of 4 nodes reached"
    `);
  });

  it("has no word of a mesh where there is none", () => {
    const text = reportText(reportOf("prod", healthy(WITHOUT_MESH)));
    expect(text).toMatch(/^doctor of prod: region tokyo, 4 nodes, no mesh\n/);
    expect(text).not.toMatch(/Running|device|direct|rules/);
    expect(text).toContain("s-1   a-1  routed  41.7  pass\n");
  });
});

describe("the report of a region that is not well", () => {
  it("has all findings at once, numbered, each with its fix, and what was not looked at", () => {
    expect(reportText(reportOf("prod", broken()))).toMatchInlineSnapshot(`
      "doctor of prod: region tokyo, 4 nodes, tailscale

      home
        a-1  agent, 10.30.0.21, by ops@10.30.0.21
          well   key without an end
          found  ssh (1)
        a-2  agent, 10.30.0.22, by ops@10.30.0.22
          well   ssh · Running, 100.64.0.4 · key without an end · rules and routes · 2 direct · clock +0.01 s · k3s-agent active
          found  mtu (2)

      tokyo
        s-1  server, 10.20.0.11, by ops@10.20.0.11
          well   ssh · Running, 100.64.0.1 · key without an end · rules and routes · flannel.1 1230, 1280 bytes pass · clock +0.01 s · k3s active
          found  paths (3)
        s-2  server, 10.20.0.12, by ops@10.20.0.12
          well   ssh · Running, 100.64.0.2 · key without an end · flannel.1 1230, 1280 bytes pass · 1 direct · clock +0.01 s
          found  routes (4) · k3s (5)

      from  to   path           ms    1280 bytes
      a-2   s-2  direct         41.7  LOST, 1200 would pass
      a-2   a-1  LAN            0.20  pass
      s-1   s-2  LAN            0.20  pass
      s-1   a-1  direct         41.7  pass
      s-1   a-2  relayed (tok)
      s-2   s-1  LAN            0.20  pass
      s-2   a-2  direct         41.7  pass
      and 2 more ways through the mesh, all direct

      1. a-1: 10.30.0.21 port 22 does not answer: no answer
         fix: is it on, is the address right, does a firewall stand between? does this computer have its mesh switched on?
      2. a-2: a packet of 1280 bytes does not pass to s-2 (10.20.0.12) of site tokyo through the mesh, small ones do, 1200 would
         fix: on both hosts tailscale0 must have MTU 1280, and the way outside must carry the mesh's own packets of 1360 bytes: try ping -M do -s 1332 to the other side's outer address, and raise the MTU where it stops
      3. s-1: packets to a-2 of site home go through the relay tok, and not directly
         fix: open the mesh's UDP port on one of the two sides (its router, its cloud firewall), or set relay: true on a machine with a public address
      4. s-2: found hybrid-k3s-mesh.service failed · allowed active
         fix: systemctl restart hybrid-k3s-mesh on the host; if it fails: journalctl -u hybrid-k3s-mesh -n 20
      5. s-2: k3s does not run: found k3s.service failed · allowed active
         fix: journalctl -u k3s -n 50 on the host says why; systemctl start k3s starts it
      6. old (100.64.0.0, id 7, connected) carries tag:k3s-tokyo and is a device without a node
         fix: if nobody knows it, remove it from the mesh's control plane: it may reach every node of the region

      6 findings: 3 of 4 nodes reached"
    `);
  });

  it("says what it did not look at, which is no finding", () => {
    const report = reportOf("prod", { ...healthy(), devices: { notLookedAt: "no credential for tailscale" } });
    expect(reportText(report)).toContain(
      "\nnot looked at: devices without a node and nodes without a device: no credential for tailscale\n\nnothing found: 4 of 4 nodes reached",
    );
    expect(report.findings).toEqual([]);
  });

  it("counts one finding as one", () => {
    const evidence = withNodes(healthy(), {
      "a-1": { facts: { units: { tailscaled: "active", "hybrid-k3s-mesh": "active" } } },
    });
    expect(reportText(reportOf("prod", evidence))).toMatch(/\n1 finding: 4 of 4 nodes reached$/);
  });
});

describe("the report for programs", () => {
  it("has every node, way and finding, and numbers that lead from checks to findings", () => {
    const report = reportOf("prod", broken());
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(report).toMatchObject({
      schema: 1,
      stack: "prod",
      region: "tokyo",
      mesh: "tailscale",
      packetBytes: 1280,
      at: "2026-11-26T12:00:00.000Z",
      notLookedAt: [],
    });
    expect(report.nodes.map(({ name, reached }) => `${name} ${String(reached)}`)).toEqual([
      "a-1 false",
      "a-2 true",
      "s-1 true",
      "s-2 true",
    ]);
    expect(report.nodes[1]).toEqual({
      name: "a-2",
      role: "agent",
      site: "home",
      address: "10.30.0.22",
      dialled: "ops@10.30.0.22",
      reached: true,
      meshAddress: "100.64.0.4",
      clockOffset: 0.01,
      checks: [
        { check: "ssh", well: "ops@10.30.0.22", findings: [] },
        { check: "mesh", well: "Running, 100.64.0.4", findings: [] },
        { check: "key", well: "key without an end", findings: [] },
        { check: "routes", well: "rules and routes", findings: [] },
        { check: "mtu", findings: [2] },
        { check: "paths", well: "2 direct", findings: [] },
        { check: "clock", well: "clock +0.01 s", findings: [] },
        { check: "k3s", well: "k3s-agent active", findings: [] },
      ],
    });
    expect(report.ways).toHaveLength(9);
    expect(report.ways.find(({ from, to }) => from === "s-1" && to === "a-2")).toEqual({
      from: "s-1",
      to: "a-2",
      over: "mesh",
      device: "tailscale0",
      path: { kind: "relayed", through: "tok" },
    });
    expect(report.findings.map(({ number, check, node }) => [number, check, node])).toEqual([
      [1, "ssh", "a-1"],
      [2, "mtu", "a-2"],
      [3, "paths", "s-1"],
      [4, "routes", "s-2"],
      [5, "k3s", "s-2"],
      [6, "devices", undefined],
    ]);
  });
});
