import { describe, expect, it } from "vitest";
import { ClockReader } from "../../tools/doctor/clock-reader.ts";
import { parseLook } from "../../tools/doctor/parse-look.ts";
import { parseReach } from "../../tools/doctor/parse-reach.ts";
import { planWays, type WayPlan } from "../../tools/doctor/plan.ts";
import { sideBySide } from "../../tools/doctor/side-by-side.ts";
import { phaseOf } from "../../tools/doctor/ssh.ts";
import { EXPECTATIONS, healthy, unreached, WITHOUT_MESH, withNodes } from "../support/doctor-evidence.ts";
import { HOST_KEY } from "../support/sample.ts";

describe("what a host printed", () => {
  const status = {
    BackendState: "Running",
    Self: {
      DNSName: "a-1.mesh.example.",
      TailscaleIPs: ["100.64.0.3", "fd7a::3"],
      AllowedIPs: ["100.64.0.3/32", "10.30.0.21/32"],
      KeyExpiry: "2026-12-08T13:00:00Z",
    },
    Peer: { "nodekey:1": { DNSName: "s-1.mesh.example.", TailscaleIPs: ["fd7a::1", "100.64.0.1"] } },
  };

  it("is read into facts", () => {
    const text = [
      "ready",
      "clock 1790000000.123456789",
      "synchronised yes",
      "unit k3s-agent active",
      "unit tailscaled active",
      "mtu tailscale0 1280",
      'rules [{"priority":2500,"src":"all","dst":"10.30.0.0","dstlen":24,"table":"main","suppress_prefixlen":0},{"priority":5300,"dst":"10.20.0.0","dstlen":24,"action":"unreachable"},{"priority":5270,"src":"all","table":"52"},{"priority":1,"dst":"10.1.1.1","table":"52"}]',
      'routes [{"dst":"10.20.0.11","dev":"tailscale0","flags":[]},{"dst":"10.9.0.0/16","dev":"tailscale0"},{"type":"throw","dst":"127.0.0.0/8"}]',
      `status ${JSON.stringify(status)}`,
      "done",
    ].join("\n");
    expect(parseLook(text, "tailscale", { offset: 0.5, uncertainty: 0.1 })).toEqual({
      clock: { offset: 0.5, uncertainty: 0.1, synchronised: true },
      units: { "k3s-agent": "active", tailscaled: "active" },
      mtus: { tailscale0: 1280 },
      rules: [
        { priority: 2500, to: "10.30.0.0/24", action: "lookup main" },
        { priority: 5300, to: "10.20.0.0/24", action: "unreachable" },
        { priority: 5270, action: "lookup 52" },
        { priority: 1, to: "10.1.1.1/32", action: "lookup 52" },
      ],
      meshRoutes: ["10.20.0.11/32", "10.9.0.0/16"],
      client: {
        state: "Running",
        name: "a-1",
        address: "100.64.0.3",
        expires: new Date("2026-12-08T13:00:00Z"),
        approved: ["100.64.0.3/32", "10.30.0.21/32"],
        peers: [{ name: "s-1", address: "100.64.0.1" }],
      },
      missing: [],
    });
  });

  it("may be next to nothing: a host without a client, without a table, without ping", () => {
    const text = "ready\nsynchronised unknown\nmissing ping\nmissing timeout\nrules \nroutes [\nstatus \ndone\n";
    expect(parseLook(text, "tailscale")).toEqual({
      units: {},
      mtus: {},
      rules: [],
      meshRoutes: [],
      missing: ["ping", "timeout"],
    });
    for (const status of ["[]", "1", "null"]) expect(parseLook(`status ${status}`, "tailscale").client).toBeUndefined();
    expect(parseLook('status {"Self":null,"BackendState":"NeedsLogin"}', "tailscale").client).toEqual({
      state: "NeedsLogin",
      name: "",
      address: "",
      approved: [],
      peers: [],
    });
    expect(parseLook('status {"BackendState":1}', "tailscale").client).toBeUndefined();
  });

  it("is NetBird's where that is the mesh", () => {
    const netbird = {
      daemonStatus: "Connected",
      fqdn: "a-1.netbird.cloud",
      netbirdIp: "100.90.0.3/16",
      sessionExpiresAt: "2026-12-08T13:00:00Z",
      peers: { details: [{ fqdn: "s-1.netbird.cloud", netbirdIp: "100.90.0.1", status: "Connected" }] },
    };
    expect(parseLook(`status ${JSON.stringify(netbird)}`, "netbird").client).toEqual({
      state: "Connected",
      name: "a-1",
      address: "100.90.0.3",
      expires: new Date("2026-12-08T13:00:00Z"),
      approved: [],
      peers: [{ name: "s-1", address: "100.90.0.1" }],
    });
    expect(parseLook('status {"peers":1}', "netbird").client).toBeUndefined();
  });
});

describe("what a host printed of its ways", () => {
  const plan = (to: string, more: Partial<WayPlan> = {}): WayPlan => ({
    to,
    over: "mesh",
    address: "10.0.0.1",
    ...more,
  });

  it("is read into ways, one for each that was asked for", () => {
    const text = [
      "device a tailscale0",
      "latency a 41.7",
      "large a 1280 passes",
      "path a 192.0.2.1:41641",
      "device b tailscale0",
      "latency b none",
      "path b DERP(tok)",
      "device c -",
      "path c peer-relay(192.0.2.9:7777:vni:3)",
      "device d eth0",
      "latency d 0.2",
      "large d 1280 lost 1200",
      "path d none",
      "large e 1280 lost 0",
      "done",
    ].join("\n");
    const plans = [
      plan("a"),
      plan("b"),
      plan("c"),
      plan("d", { over: "lan" }),
      plan("e", { peer: "unknown" }),
      plan("f"),
    ];
    expect(parseReach(text, plans)).toEqual([
      {
        to: "a",
        over: "mesh",
        device: "tailscale0",
        path: { kind: "direct", through: "192.0.2.1:41641" },
        latency: 41.7,
        large: { bytes: 1280, passes: true },
      },
      { to: "b", over: "mesh", device: "tailscale0", path: { kind: "relayed", through: "tok" }, latency: "none" },
      { to: "c", over: "mesh", device: "", path: { kind: "peer relay", through: "192.0.2.9:7777:vni:3" } },
      {
        to: "d",
        over: "lan",
        device: "eth0",
        path: { kind: "none" },
        latency: 0.2,
        large: { bytes: 1280, passes: false, limit: 1200 },
      },
      { to: "e", over: "mesh", device: "", path: { kind: "unknown peer" }, large: { bytes: 1280, passes: false } },
      { to: "f", over: "mesh", device: "" },
    ]);
  });

  it("has NetBird's paths from its status", () => {
    const details = [
      { fqdn: "a.netbird.cloud", status: "Connected", connectionType: "P2P" },
      { fqdn: "b.netbird.cloud", status: "Connected", connectionType: "Relayed", relayAddress: "rels://relay:443" },
      { fqdn: "c.netbird.cloud", status: "Idle" },
      { fqdn: "d.netbird.cloud", status: "Connecting" },
    ];
    const ways = parseReach(
      `status ${JSON.stringify({ peers: { details } })}`,
      ["a", "b", "c", "d"].map((to) => plan(to)),
    );
    expect(ways.map(({ path }) => path)).toEqual([
      { kind: "direct" },
      { kind: "relayed", through: "rels://relay:443" },
      { kind: "idle" },
      { kind: "none" },
    ]);
  });
});

describe("which ways are tried", () => {
  const pinged = (name: string, evidence = healthy()): string[] => {
    const view = evidence.nodes.find(({ node }) => node.name === name)!;
    return planWays(view, evidence)
      .filter(({ bytes }) => bytes !== undefined)
      .map(({ to }) => to);
  };

  it("are those to all others, and pings to one neighbour and one node of each other site, not the same from each", () => {
    expect(planWays(healthy().nodes[0]!, healthy())).toEqual([
      { to: "s-2", over: "lan", address: "10.20.0.12", peer: "100.64.0.2", bytes: 1280 },
      { to: "a-1", over: "mesh", address: "10.30.0.21", peer: "100.64.0.3", bytes: 1280 },
      { to: "a-2", over: "mesh", address: "10.30.0.22", peer: "100.64.0.4" },
    ]);
    expect([pinged("s-2"), pinged("a-1"), pinged("a-2")]).toEqual([
      ["s-1", "a-2"],
      ["s-1", "a-2"],
      ["s-2", "a-1"],
    ]);
  });

  it("lead to a node that works, if there is one", () => {
    expect(pinged("s-1", unreached(healthy(), "a-1", { phase: "tcp", word: "" }))).toEqual(["s-2", "a-2"]);
    expect(pinged("s-1", withNodes(healthy(), { "a-1": { client: { state: "Stopped" } } }))).toEqual(["s-2", "a-2"]);
    const stopped = { client: { state: "Stopped" } };
    expect(pinged("s-1", withNodes(healthy(), { "a-1": stopped, "a-2": stopped }))).toEqual(["s-2", "a-1"]);
  });

  it("are only those of the LAN where the node itself is not in the mesh", () => {
    const evidence = withNodes(healthy(), { "s-1": { client: { state: "Stopped" } } });
    expect(pinged("s-1", evidence)).toEqual(["s-2"]);
    expect(planWays(evidence.nodes[0]!, evidence).every(({ peer }) => peer === undefined)).toBe(true);
  });

  it("know a peer that the mesh does not show", () => {
    const evidence = withNodes(healthy(), { "s-1": { client: { peers: [] } } });
    expect(planWays(evidence.nodes[0]!, evidence).map(({ peer }) => peer)).toEqual(["unknown", "unknown", "unknown"]);
  });

  it("go by routing where there is no mesh, and through the mesh between neighbours whose addresses are in it", () => {
    expect(planWays(healthy(WITHOUT_MESH).nodes[0]!, healthy(WITHOUT_MESH))).toEqual([
      { to: "s-2", over: "lan", address: "10.20.0.12", bytes: 1500 },
      { to: "a-1", over: "routed", address: "10.30.0.21", bytes: 1500 },
      { to: "a-2", over: "routed", address: "10.30.0.22" },
    ]);
    const home = { lan: "10.30.0.0/24", nodeAddresses: "mesh" as const };
    const inMesh = healthy({ ...EXPECTATIONS, sites: { ...EXPECTATIONS.sites, home } });
    expect(planWays(inMesh.nodes[2]!, inMesh).map(({ over }) => over)).toEqual(["mesh", "mesh", "mesh"]);
  });
});

describe("a host's clock", () => {
  it("is compared with the middle between question and answer", () => {
    const times = [1000_000, 1000_400];
    const reader = new ClockReader(() => times.shift()!);
    expect(reader.hear("ready\n")).toBe("now\n");
    expect(reader.hear("ready\nclock 1003.200000000\nsynchronised")).toBeUndefined();
    expect(reader.reading?.offset).toBeCloseTo(3);
    expect(reader.reading?.uncertainty).toBeCloseTo(0.2);
  });

  it("is read once, from a whole line, and not before the host was asked", () => {
    let now = 0;
    const reader = new ClockReader(() => (now += 1000));
    expect(reader.hear("banner\n")).toBeUndefined();
    expect(reader.hear("ready\n")).toBe("now\n");
    reader.hear("ready\nclock 12.5");
    expect(reader.reading).toBeUndefined();
    reader.hear("ready\nclock 12.500000000\n");
    const first = reader.reading;
    reader.hear("ready\nclock 12.500000000\nsynchronised yes\n");
    expect(first).toBeDefined();
    expect(reader.reading).toBe(first);
  });
});

describe("how a connection ended", () => {
  const target = { name: "a-1", user: "ops", host: "10.0.0.1", port: 22, hostKey: HOST_KEY };
  const jump = { user: "ops", host: "gate", port: 22, hostKey: HOST_KEY };
  const changed =
    "@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nThe fingerprint is\nSHA256:abc/+1.\nHost key verification failed.\n";

  it.each([
    ["nothing", 0, "Warning: Permanently added\n", { phase: "ok" }],
    [
      "a closed port",
      255,
      "ssh: connect to host 10.0.0.1 port 22: Connection refused\r\n",
      { phase: "tcp", word: "ssh: connect to host 10.0.0.1 port 22: Connection refused" },
    ],
    ["silence", 255, "", { phase: "tcp", word: "no answer" }],
    ["another host key", 255, changed, { phase: "host key", at: target, found: "SHA256:abc/+1" }],
    [
      "another kind of host key",
      255,
      "Unable to negotiate: no matching host key type found. Their offer: ssh-rsa\n",
      { phase: "host key", at: target, found: "Their offer: ssh-rsa" },
    ],
    [
      "a refused login",
      255,
      "** post-quantum\nops@10.0.0.1: Permission denied (publickey).\n",
      { phase: "login", word: "ops@10.0.0.1: Permission denied (publickey)." },
    ],
    [
      "a command that fails",
      1,
      "sudo: a password is required\n",
      { phase: "probe", word: "sudo: a password is required" },
    ],
    ["a command that fails in silence", 124, "", { phase: "probe", word: "it ended with 124" }],
    ["no end", undefined, "", { phase: "probe", word: "it did not end in time" }],
  ])("is told from ssh's word: %s", (_, code, stderr, reached) => {
    expect(phaseOf(target, code, stderr)).toEqual(reached);
  });

  it("is the jump host's where that is the reason", () => {
    const stderr = `${changed}Offending key in "/tmp/x/known-jump-a-1":1\nkex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535\n`;
    expect(phaseOf({ ...target, jump }, 255, stderr)).toEqual({ phase: "host key", at: jump, found: "SHA256:abc/+1" });
    const refused = "ssh: connect to host gate port 22: Connection refused\nConnection closed by UNKNOWN port 65535\n";
    expect(phaseOf({ ...target, jump }, 255, refused)).toEqual({
      phase: "tcp",
      word: "ssh: connect to host gate port 22: Connection refused",
    });
  });
});

describe("work side by side", () => {
  it("keeps the order and the limit", async () => {
    let [running, most] = [0, 0];
    const results = await sideBySide([30, 5, 10, 1, 1], 2, async (milliseconds) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      running--;
      return milliseconds;
    });
    expect(results).toEqual([30, 5, 10, 1, 1]);
    expect(most).toBe(2);
    expect(await sideBySide([], 2, () => Promise.resolve(1))).toEqual([]);
  });
});
