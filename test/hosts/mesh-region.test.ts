import { stringify } from "yaml";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeSteps, type RunRecord } from "../../rehearsal/engine/steps.ts";
import { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { describeHosts } from "../support/lab/describe-hosts.ts";
import { k3sUnderTest } from "../support/lab/k3s-under-test.ts";
import { meshRegionSettings } from "../support/lab/mesh-region-settings.ts";
import { MeshLab, type Node } from "../support/lab/mesh.ts";
import { BUILD_BUDGET, CLIENT_VERSIONS, MESH_PREREQUISITES } from "../support/lab/mesh-tools.ts";
import { askAround } from "../support/lab/pods.ts";

const { real, version, podImage, publish } = k3sUnderTest();

/** Two servers on one site, two agents behind NAT on another. */
const NODES = ["server-a", "server-b", "agent-b", "agent-c"] as const satisfies readonly Node[];

/** What people wrote before the region came. */
const THEIRS = `// Policy of the lab. Ask ops before you change it!
{
	"groups": {"group:ops": ["ops@"]}, // on call
	"grants": [
		// people may do everything
		{"src": ["group:ops"], "dst": ["*"], "ip": ["*"]},
	],
}
`;

/** What a region leaves of itself on a host, and what one that was given back has none of. */
const LEFTOVERS = `ls -d /etc/hybrid-k3s /usr/bin/tailscale /var/lib/tailscale /etc/systemd/system/hybrid-k3s* /usr/local/bin/k3s 2>/dev/null
nft list tables | grep hybrid; ip -4 rule | grep -vE '^(0|32766|32767):'; true`;

/** Counts packets of etcd by the interface that they leave or arrive on. */
const COUNT_ETCD = `nft -f - <<'RULES'
table inet etcd_count {
  counter mesh { }
  counter lan { }
  chain out { type filter hook output priority -300; tcp dport { 2379, 2380 } oifname "tailscale0" counter name mesh; tcp dport { 2379, 2380 } oifname "eth0" counter name lan; }
  chain in { type filter hook input priority -300; tcp dport { 2379, 2380 } iifname "tailscale0" counter name mesh; tcp dport { 2379, 2380 } iifname "eth0" counter name lan; }
}
RULES`;

describeHosts(
  `a region over a tailnet, with ${real ? `k3s ${version}` : "a stand-in for k3s"}`,
  MESH_PREREQUISITES,
  () => {
    let mesh: MeshLab;
    let rehearsal: Rehearsal;
    let started = Date.now();

    const said = ({ failure, messages }: RunRecord): string => failure ?? messages.map(({ text }) => text).join("\n");
    const kubectl = (command: string): Promise<string> => mesh.on("server-a", `k3s kubectl ${command}`, 120);
    const devices = async (): Promise<string[]> =>
      (await mesh.headscale.devices()).map(({ givenName }) => givenName).sort();
    const packets = async (name: string): Promise<{ lan: number; mesh: number }> => {
      const count = async (counter: string): Promise<number> =>
        Number(/packets (?<count>\d+)/.exec(await mesh.on(name, `nft list counter inet etcd_count ${counter}`))?.[1]);
      return { lan: await count("lan"), mesh: await count("mesh") };
    };

    /** Runs an update that must succeed, and a preview after it that must be clean; returns its steps. */
    async function update(): Promise<string[]> {
      started = Date.now();
      const record = await rehearsal.up();
      expect(record.failure, said(record)).toBeUndefined();
      const second = await rehearsal.preview();
      expect(second.failure, said(second)).toBeUndefined();
      expect(describeSteps(second.steps)).toEqual([]);
      return describeSteps(record.steps, true);
    }

    beforeAll(async () => {
      mesh = await MeshLab.create(NODES);
      publish(mesh.lab);
      await mesh.headscale.setPolicy(THEIRS);
      rehearsal = await Rehearsal.open({
        stack: "lab",
        settingsText: stringify({ config: meshRegionSettings(mesh, version) }),
        secrets: {
          "hybrid-k3s:sshPrivateKey": mesh.lab.privateKey,
          "hybrid-k3s:mesh.apiKey": await mesh.headscale.createApiKey(),
        },
        backend: "ssh",
        onFinished: ({ op, name, custom }) => {
          if (custom) console.log(`${((Date.now() - started) / 1000).toFixed(1)} s: ${op} ${name}`);
        },
        say: console.log,
      });
      if (real) await mesh.on("server-a", COUNT_ETCD);
    }, BUILD_BUDGET);
    afterAll(async () => {
      await rehearsal.close();
      mesh.lab.close();
    });

    it("comes up from nothing with every host a device of its own, its route approved, its firewall confirmed", async () => {
      await update();
      expect(await devices()).toEqual([...NODES].sort());
      for (const { givenName, approvedRoutes, expiry } of await mesh.headscale.devices()) {
        expect(approvedRoutes).toEqual([`${mesh.lab.host(givenName).address}/32`]);
        expect(expiry).toBeUndefined();
        expect(await mesh.on(givenName, "nft list tables")).toContain("hybrid_k3s");
      }
      expect(await mesh.headscale.policy()).toContain("// people may do everything");
    });

    it("sends neighbours' packets over the LAN and the others' through the tailnet", async () => {
      expect(await mesh.interfaceTo("server-a", mesh.lab.host("server-b").address)).toBe("eth0");
      expect(await mesh.interfaceTo("server-a", mesh.lab.host("agent-b").address)).toBe("tailscale0");
      await mesh.reaches("agent-c", mesh.lab.host("server-b").address, 30);
    });

    it.runIf(podImage !== undefined)("lets pods of both sites talk, at the MTU that the layers leave", async () => {
      expect(await askAround(mesh.lab, NODES, podImage!, "server-a")).toEqual(
        Object.fromEntries(NODES.map((node) => [node, [...NODES]])),
      );
      expect(await kubectl("exec on-agent-b -- cat /sys/class/net/eth0/mtu")).toBe("1230\n");
      expect(await kubectl("logs on-agent-c --tail=1")).toBe("");
    });

    it.runIf(real)("keeps etcd on the servers' LAN", async () => {
      const counted = await packets("server-a");
      console.log("packets of etcd:", JSON.stringify(counted));
      expect(counted.mesh).toBe(0);
      expect(counted.lan).toBeGreaterThan(100);
    });

    it("raises the client's version from node to node, and replaces nothing", async () => {
      await rehearsal.edit({ "hybrid-k3s:mesh": { version: CLIENT_VERSIONS.next } });
      const steps = await update();
      expect(steps.filter((step) => !step.startsWith("update "))).toEqual([]);
      for (const node of NODES) expect((await mesh.status(node)).Version).toBe(CLIENT_VERSIONS.next);
    });

    it("leaves no device, no key and no route of a machine that is removed, and nothing on its host", async () => {
      await rehearsal.edit({ "hybrid-k3s:sites": { home: { pools: { nodes: { machines: { "agent-c": null } } } } } });
      await update();
      expect(await devices()).toEqual(["agent-b", "server-a", "server-b"]);
      expect(await mesh.headscale.keys()).toHaveLength(3);
      expect(await mesh.on("agent-c", LEFTOVERS)).toBe("");
    });

    it("leaves the tailnet as it was before, to the byte of its policy, when it is destroyed", async () => {
      const record = await rehearsal.destroy();
      expect(record.failure, said(record)).toBeUndefined();
      expect(await devices()).toEqual([]);
      expect(await mesh.headscale.keys()).toEqual([]);
      expect(await mesh.headscale.policy()).toBe(THEIRS);
      for (const node of NODES) expect(await mesh.on(node, LEFTOVERS)).toBe("");
    });
  },
);
