import { describe, expect, it } from "vitest";
import { checkClient } from "../../tools/doctor/checks/client.ts";
import { checkClock, checkOwnClock } from "../../tools/doctor/checks/clock.ts";
import { checkK3s } from "../../tools/doctor/checks/k3s.ts";
import { checkKey } from "../../tools/doctor/checks/key.ts";
import { checkSsh } from "../../tools/doctor/checks/ssh.ts";
import type { Evidence, Expectations, Reached } from "../../tools/doctor/evidence.ts";
import { fingerprint } from "../../tools/doctor/ssh.ts";
import {
  deviceOf,
  EXPECTATIONS,
  findingsOf,
  healthy,
  lines,
  unreached,
  wellOf,
  WITHOUT_MESH,
  withNodes,
  without,
} from "../support/doctor-evidence.ts";
import { HOST_KEY } from "../support/sample.ts";

const NETBIRD: Expectations = {
  ...EXPECTATIONS,
  mesh: { provider: "netbird", interface: "wt0", tag: "k3s-tokyo", siteRule: false },
};

describe("what the doctor says of SSH", () => {
  const jump = { user: "ops", host: "gate.example.net", port: 2222, hostKey: HOST_KEY };
  const throughJump = withNodes(healthy(), { "s-1": { target: { ...healthy().nodes[0]!.target!, jump } } });
  const after = (reached: Reached, evidence = healthy()): string[] =>
    findingsOf(checkSsh, unreached(evidence, "s-1", reached));

  it("is how the host was reached, and through which jump", () => {
    expect(findingsOf(checkSsh, healthy())).toEqual([]);
    expect(wellOf(checkSsh, healthy())).toBe("ops@10.20.0.11");
    expect(wellOf(checkSsh, throughJump)).toBe("ops@10.20.0.11 through ops@gate.example.net:2222");
  });

  it.each<[string, Reached, string]>([
    [
      "nothing answers",
      { phase: "tcp", word: "Connection refused" },
      "s-1: 10.20.0.11 port 22 does not answer: Connection refused | is it on, is the address right, does a firewall stand between? does this computer have its mesh switched on?",
    ],
    [
      "somebody else answers",
      { phase: "host key", at: { user: "ops", host: "10.20.0.11", port: 22, hostKey: HOST_KEY }, found: "SHA256:abc" },
      `s-1: the host key of 10.20.0.11 port 22 is not the pinned one: found SHA256:abc · allowed ${fingerprint(HOST_KEY)} | if the host was reinstalled, set its new hostKey and raise its generation; if not, find out who answers there`,
    ],
    [
      "the login is refused",
      { phase: "login", word: "Permission denied (publickey)." },
      "s-1: 10.20.0.11 port 22 refuses the login as ops: Permission denied (publickey). | add the public half of hybrid-k3s:sshPrivateKey to that user's authorized_keys",
    ],
    [
      "the host cannot be looked at",
      { phase: "probe", word: "sudo: a password is required" },
      "s-1: it is reached, but could not be looked at: sudo: a password is required | may the login user use sudo without a password, and are bash, timeout and systemd there? then look again",
    ],
  ])("is a finding where %s", (_, reached, line) => {
    expect(after(reached)).toEqual([line]);
  });

  it("names the jump host where the way leads through one", () => {
    expect(after({ phase: "tcp", word: "no answer" }, throughJump)[0]).toMatch(
      /^s-1: 10\.20\.0\.11 port 22, through gate\.example\.net port 2222, does not answer: no answer \|/,
    );
  });

  it("is a finding where the state has no host of a node", () => {
    const nodes = healthy().nodes.map(({ node }) => ({ node, ways: [] }));
    expect(findingsOf(checkSsh, { ...healthy(), nodes })[0]).toBe(
      "s-1: the stack's state has no host of it | pulumi up, then look again",
    );
  });
});

describe("what the doctor says of the mesh's client", () => {
  const found = (evidence: Evidence): string[] => findingsOf(checkClient, evidence);
  const inState = (state: string, expectations = EXPECTATIONS): string[] =>
    found(withNodes(healthy(expectations), { "a-1": { client: { state } } }));

  it("is its state and address where all is well, and nothing without a mesh or of a host that was not reached", () => {
    expect(found(healthy())).toEqual([]);
    expect(wellOf(checkClient, healthy())).toBe("Running, 100.64.0.1");
    expect(wellOf(checkClient, healthy(NETBIRD))).toBe("Connected, 100.64.0.1");
    expect(wellOf(checkClient, healthy(WITHOUT_MESH))).toBeUndefined();
    expect(found(unreached(healthy(), "a-1", { phase: "tcp", word: "" }))).toEqual([]);
  });

  it.each([
    ["tailscaled", "Tailscale", EXPECTATIONS],
    ["netbird", "NetBird", NETBIRD],
  ])("is a finding where %s does not run, whatever else is not there then", (unit, product, expectations) => {
    const units = { [unit]: "failed", "hybrid-k3s-mesh": "inactive" };
    expect(found(withNodes(healthy(expectations), { "a-1": { facts: { units }, client: { state: "" } } }))).toEqual([
      `a-1: ${product} does not run: found ${unit}.service failed · allowed active | systemctl start ${unit} hybrid-k3s-mesh on the host; if it does not stay up: journalctl -u ${unit} -n 30`,
    ]);
  });

  it.each([
    ["Stopped", "tailscale up on the host: somebody switched it off"],
    [
      "NeedsLogin",
      "the device is gone from the mesh, or its key has expired: raise the generation of a-1 and pulumi up, and it joins anew",
    ],
    ["NeedsMachineAuth", "let a-1 in, in the mesh's control plane"],
    ["NoState", "journalctl -u tailscaled -n 30 on the host"],
  ])("is a finding in the state %s", (state, fix) => {
    expect(inState(state)).toEqual([`a-1: Tailscale is not in the mesh: found ${state} · allowed Running | ${fix}`]);
  });

  it("is a finding where the client says nothing", () => {
    const text = "a-1: Tailscale is not in the mesh: found nothing · allowed Running";
    expect(inState("")[0]).toContain(text);
    const facts = without(healthy().nodes[2]!.facts!, "client");
    const nodes = healthy().nodes.map((view) => (view.node.name === "a-1" ? { ...view, facts } : view));
    expect(found({ ...healthy(), nodes })[0]).toContain(text);
  });

  it("knows NetBird's states", () => {
    expect(inState("Idle", NETBIRD)).toEqual([
      "a-1: NetBird is not in the mesh: found Idle · allowed Connected | netbird up on the host: somebody switched it off",
    ]);
    expect(inState("SessionExpired", NETBIRD)[0]).toContain(
      "found SessionExpired · allowed Connected | the device is gone",
    );
  });

  it("is a finding where the mesh calls the host otherwise", () => {
    expect(found(withNodes(healthy(), { "a-1": { client: { name: "a-1-1" } } }))).toEqual([
      "a-1: the mesh calls it by another name: found a-1-1 · allowed a-1 | a device named a-1 stood there before: remove both devices from the mesh, raise the generation of a-1, then pulumi up",
    ]);
  });

  it("is a finding where the node's address in the mesh is not the one that it has, or there is none", () => {
    const home = { lan: "10.30.0.0/24", nodeAddresses: "mesh" as const };
    const nodes = EXPECTATIONS.nodes.map((node, index) =>
      node.site === "home" ? { ...node, address: `100.64.0.${index + 1}` } : node,
    );
    const inMesh = healthy({ ...EXPECTATIONS, nodes, sites: { ...EXPECTATIONS.sites, home } });
    expect(found(inMesh)).toEqual([]);
    const fix = "raise the generation of a-1 and pulumi up: it joins anew, and its node takes the new address";
    expect(found(withNodes(inMesh, { "a-1": { client: { address: "100.64.0.9" } } }))).toEqual([
      `a-1: its address in the mesh: found 100.64.0.9 · allowed 100.64.0.3 | ${fix}`,
    ]);
    expect(found(withNodes(healthy(), { "a-1": { client: { address: "" } } }))).toEqual([
      `a-1: its address in the mesh: found none · allowed one of IPv4 | ${fix}`,
    ]);
  });
});

describe("what the doctor says of a key's end", () => {
  const expiring = (date: string): Evidence => withNodes(healthy(), { "a-1": { client: { expires: new Date(date) } } });

  it("is nothing where it has none", () => {
    expect(findingsOf(checkKey, healthy())).toEqual([]);
    expect(wellOf(checkKey, healthy())).toBe("key without an end");
    expect(wellOf(checkKey, healthy(WITHOUT_MESH))).toBeUndefined();
  });

  it.each([
    ["2026-12-08T13:00:00Z", "12 days, on 2026-12-08"],
    ["2026-11-27T13:00:00Z", "1 day, on 2026-11-27"],
    ["2026-11-26T13:00:00Z", "0 days, on 2026-11-26"],
  ])("says how many days are left until %s", (date, left) => {
    expect(findingsOf(checkKey, expiring(date))).toEqual([
      `a-1: its key in the mesh expires in ${left}, and it falls out of the mesh then | switch key expiry off for this device (Tailscale: Machines, Disable key expiry; headscale nodes expire --disable; NetBird: the peer's session expiration): what joins by a key of the region's tag has none`,
    ]);
  });

  it("says when it was", () => {
    expect(findingsOf(checkKey, expiring("2026-11-20T00:00:00Z"))).toEqual([
      "a-1: its key in the mesh has expired on 2026-11-20 | raise the generation of a-1 and pulumi up: it joins anew, with a key without an end",
    ]);
  });

  it("has no date where NetBird's control plane tells none", () => {
    const list = healthy().nodes.map(({ node: { name } }) => deviceOf(name, { logsInAgain: name === "a-1" }));
    const found = findingsOf(checkKey, { ...healthy(NETBIRD), devices: { list } });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(
      /^a-1: it has to log in to the mesh again some day, and falls out of it then \| switch key/,
    );
  });

  it("comes from the control plane where the host does not tell, also of a host that was not reached", () => {
    const list = healthy().nodes.map(({ node: { name } }) =>
      deviceOf(name, name === "a-1" ? { expires: new Date("2026-12-08T13:00:00Z") } : {}),
    );
    const evidence = unreached({ ...healthy(), devices: { list } }, "a-1", { phase: "tcp", word: "" });
    expect(findingsOf(checkKey, evidence)[0]).toContain("a-1: its key in the mesh expires in 12 days");
  });
});

describe("what the doctor says of clocks", () => {
  const off = (...offsets: number[]): Evidence =>
    withNodes(
      healthy(),
      Object.fromEntries(
        ["s-1", "s-2", "a-1", "a-2"].map((name, index) => [
          name,
          { facts: { clock: { offset: offsets[index] ?? 0, uncertainty: 0.1, synchronised: true } } },
        ]),
      ),
    );
  const fix =
    "systemctl restart chrony (or systemd-timesyncd) on the host, and see that it reaches its time servers: chronyc sources, timedatectl timesync-status";

  it("is the offset, two seconds of which are well", () => {
    expect(findingsOf(checkClock, off(2, -2))).toEqual([]);
    expect([wellOf(checkClock, off(0.513)), wellOf(checkClock, off(-1.5))]).toEqual(["clock +0.51 s", "clock −1.50 s"]);
  });

  it("is a finding beyond that, on either side", () => {
    expect(findingsOf(checkClock, off(0, 3.44, -2.2))).toEqual([
      `s-2: its clock is 3.4 s ahead of this computer's · allowed 2 s | ${fix}`,
      `a-1: its clock is 2.2 s behind this computer's · allowed 2 s | ${fix}`,
    ]);
    expect(checkOwnClock(off(0, 3.44, -2.2))).toEqual([]);
  });

  it("is no finding where the way there and back may be all of it", () => {
    const slow = withNodes(healthy(), {
      "a-1": { facts: { clock: { offset: -4.5, uncertainty: 3, synchronised: true } } },
      "a-2": { facts: { clock: { offset: -5.5, uncertainty: 3, synchronised: true } } },
    });
    expect(findingsOf(checkClock, slow)).toEqual([
      `a-2: its clock is 5.5 s behind this computer's · allowed 2 s | ${fix}`,
    ]);
  });

  it("is this computer's fault where all hosts agree with each other and not with it", () => {
    const evidence = off(61, 60.5, 60, 61.5);
    expect(findingsOf(checkClock, evidence)).toEqual([]);
    expect(lines(checkOwnClock(evidence))).toEqual([
      "this computer's clock is 60.8 s behind that of every node | set this computer's clock, then look again",
    ]);
    expect(checkOwnClock(off(-61, -60.5, -60, -61.5))[0]?.text).toBe(
      "this computer's clock is 60.8 s ahead of that of every node",
    );
    expect(findingsOf(checkClock, off(61, 60.5, 60, 64))).toHaveLength(4);
  });

  it("is a finding where nobody keeps the clock, and none where the host does not tell", () => {
    const kept = (synchronised?: boolean): Evidence =>
      withNodes(healthy(), {
        "a-1": {
          facts: { clock: { offset: 0, uncertainty: 0, ...(synchronised === undefined ? {} : { synchronised }) } },
        },
      });
    expect(findingsOf(checkClock, kept())).toEqual([]);
    expect(findingsOf(checkClock, kept(false))).toEqual([
      "a-1: no time service keeps its clock: timedatectl says that it is not synchronised | timedatectl set-ntp true on the host, or install chrony there, and let UDP 123 out",
    ]);
  });
});

describe("what the doctor says of k3s", () => {
  it("is which unit runs, by the node's role", () => {
    expect(findingsOf(checkK3s, healthy())).toEqual([]);
    expect([wellOf(checkK3s, healthy()), wellOf(checkK3s, healthy(), "a-1")]).toEqual([
      "k3s active",
      "k3s-agent active",
    ]);
  });

  it("is a finding where it does not run, or is not there", () => {
    const evidence = withNodes(healthy(), {
      "s-1": { facts: { units: { k3s: "failed" } } },
      "a-1": { facts: { units: { "k3s-agent": "not-found" } } },
    });
    expect(findingsOf(checkK3s, evidence)).toEqual([
      "s-1: k3s does not run: found k3s.service failed · allowed active | journalctl -u k3s -n 50 on the host says why; systemctl start k3s starts it",
      "a-1: k3s does not run: found k3s-agent.service not-found · allowed active | pulumi up installs it; on a host that lost its disk, raise the node's generation",
    ]);
  });
});
