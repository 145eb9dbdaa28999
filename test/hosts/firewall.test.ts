import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostFirewallRules, type HostFirewallPlan } from "../../components/firewall/rules.ts";
import { UNCONFIRMED } from "../../components/host/station-script.ts";
import { describeHosts } from "../support/lab/describe-hosts.ts";
import { createLab, type Lab } from "../support/lab/lab.ts";
import { hostNamespace } from "../support/lab/network.ts";
import { NODE_SERVICES } from "../support/lab/node-services.ts";
import { eventually, run, type Finished } from "../support/lab/run.ts";
import { runFromStation, runOnHost, SCRIPTS, type Reach, type ScriptRun } from "../support/lab/scripts.ts";
import { execute } from "../support/lab/ssh.ts";

const HOST = "server-a";
const NEIGHBOUR = "server-b";
const FAR = "agent-a";
const ADDRESS = "10.213.7.11";
const STATION = "10.213.7.254";

/** The station's own leg is outside what the rules call the LAN: it is a stranger unless they name it. */
const PLAN: HostFirewallPlan = {
  role: "server",
  cni: "flannel",
  pods: "10.64.0.0/16",
  services: "10.65.0.0/16",
  lan: ["10.213.7.0/25"],
  mesh: { interface: "tailscale0", port: 41_641 },
  ingress: true,
  publicPorts: ["25565/tcp", "19132/udp"],
  ssh: { ports: [22], from: [STATION] },
};
const LOCKED_OUT: HostFirewallPlan = { ...PLAN, ssh: { ports: [22], from: ["192.0.2.7"] } };
const OTHER: HostFirewallPlan = { ...PLAN, ingress: false };
const MENDED: HostFirewallPlan = { ...PLAN, publicPorts: [] };

const scriptRun = (action: string, rules: string, seconds = "60"): ScriptRun => ({
  script: SCRIPTS.firewall,
  action,
  parameters: { NODE_NAME: HOST, ROLLBACK_SECONDS: seconds, RULES: rules },
  lock: "hybrid-k3s-firewall",
});

describeHosts("the host firewall", () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await createLab({
      sites: { rack: { lan: "10.213.7.0/24" }, world: { lan: "10.213.8.0/24" } },
      hosts: [
        { name: HOST, site: "rack", address: ADDRESS },
        { name: NEIGHBOUR, site: "rack", address: "10.213.7.12" },
        { name: FAR, site: "world", address: "10.213.8.11" },
      ],
    });
    await lab.exec(HOST, NODE_SERVICES);
    for (const [host, last] of [
      [HOST, "11"],
      [NEIGHBOUR, "12"],
    ] as const) {
      await lab.exec(host, `ip -6 address add fd00:213::${last}/64 dev eth0 nodad`);
    }
    await eventually("services", { seconds: 20 }, async () =>
      (await open(NEIGHBOUR, TCP)).length === TCP.length ? true : undefined,
    );
  });
  afterAll(() => {
    lab.close();
  });

  const inHost = async (command: string, seconds = 60): Promise<string> =>
    (await lab.exec(HOST, command, { seconds })).stdout;
  /** The way of `pulumi up`: applied, and confirmed over a second connection. */
  const apply = (plan: HostFirewallPlan = PLAN, reach: Partial<Reach> = {}): Promise<Finished> =>
    runFromStation(
      lab,
      { targets: [HOST], user: "ops", connectSeconds: 10, ...reach },
      { ...scriptRun("apply", hostFirewallRules(plan)), confirmAction: "confirm" },
    );
  /** One action by itself, without the other. */
  const alone = (action: string, plan: HostFirewallPlan = PLAN, seconds = "60"): Promise<Finished> =>
    runOnHost(lab, HOST, scriptRun(action, hostFirewallRules(plan), seconds));
  /** Ports that answer a host, of those that something listens on. */
  const open = async (from: string, ports: readonly number[], to = ADDRESS): Promise<number[]> => {
    const tries = ports.map((port) => `(timeout 2 bash -c ': </dev/tcp/${to}/${port}' 2>/dev/null && echo ${port}) &`);
    const { stdout } = await lab.exec(from, `${tries.join(" ")} wait`);
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map(Number)
      .sort((a, b) => a - b);
  };
  const echoes = async (from: string, port: number): Promise<boolean> => {
    const { stdout } = await lab.exec(from, `echo hello | socat -t 1 -T 2 - UDP:${ADDRESS}:${port}`, { mayFail: true });
    return stdout.includes("hello");
  };
  const foreign = async (): Promise<string> => (await inHost("nft -s list ruleset")).replace(OURS, "").trim();
  /** Size of the TCP segments that one end of a connection between the pod and the far host of the mesh sends. */
  const segments = async (inside: string, from: string, to: string): Promise<string> => {
    const hold = `systemd-run --quiet --collect --unit=hold-${from} ip netns exec ${from} socat TCP:${to}:80 EXEC:'sleep 5'`;
    const ask = `ip netns exec ${inside} ss -tin state established | grep -o ' mss:[0-9]*' | sort -u`;
    return (await inHost(`${hold}; sleep 1; ${ask}; systemctl stop hold-${from}; sleep 0.3`)).trim();
  };
  const OURS = /^table inet hybrid_k3s \{\n[\s\S]*?^\}\n/m;
  const TCP = [22, 80, 443, 2379, 6443, 10_250, 25_565, 30_080];

  it("finds everything open before", async () => {
    expect(await open(FAR, TCP)).toEqual(TCP);
    expect([await echoes(FAR, 41_641), await echoes(FAR, 8472)]).toEqual([true, true]);
    // The far host has an MTU of 1500, and knows nothing of the mesh's 1280 in between.
    expect(await segments("far", "pod", "100.64.0.2")).toBe("mss:1448");
  });

  it("is applied over one connection and confirmed over another, and leaves other tables alone", async () => {
    const before = await foreign();
    const session = lab.session(HOST, "for i in $(seq 8); do sleep 1; echo $i; done");
    const done = await apply();
    expect(done, done.stderr).toMatchObject({
      code: 0,
      stdout:
        "firewall: changed, and taken back in 60 s unless it is confirmed over a new connection\nfirewall: confirmed\n",
    });
    expect(await foreign()).toBe(before);
    // A connection that stood goes on.
    expect((await session.finished).stdout).toBe("1\n2\n3\n4\n5\n6\n7\n8\n");
    expect(
      await inHost("systemctl is-enabled hybrid-k3s-firewall; systemctl list-timers --all --no-legend"),
    ).not.toContain("rollback");
  });

  it("lets strangers to the public ports alone, NodePorts shut like any other", async () => {
    expect(await open(FAR, TCP)).toEqual([80, 443, 25_565]);
    expect([await echoes(FAR, 41_641), await echoes(FAR, 19_132), await echoes(FAR, 8472)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await inHost("nft list counter inet hybrid_k3s refused")).toMatch(/packets [1-9]/);
  });

  it("lets the LAN to everything, and the stranger that is named to SSH and the API", async () => {
    expect(await open(NEIGHBOUR, TCP)).toEqual(TCP);
    expect(await echoes(NEIGHBOUR, 8472)).toBe(true);
    expect((await execute(lab.login(HOST), "true", 10)).code).toBe(0);
    const station = [6443, 2379].map(
      (port) => `timeout 2 bash -c ': </dev/tcp/${ADDRESS}/${port}' 2>/dev/null; echo $?`,
    );
    expect(run("bash", ["-c", station.join("\n")], 10)).toBe("0\n124\n");
  });

  it("shuts IPv6 equally, where neighbours still find each other", async () => {
    const six = "fd00:213::11";
    await lab.exec(NEIGHBOUR, "ip -6 neighbour flush dev eth0; ping -6 -c 1 -W 2 fd00:213::11");
    const tries = [22, 6443, 80].map(
      (port) => `timeout 2 socat -u OPEN:/dev/null TCP6:[${six}]:${port},connect-timeout=1 2>/dev/null && echo ${port}`,
    );
    expect((await lab.exec(NEIGHBOUR, `${tries.join("; ")}; true`)).stdout).toBe("80\n");
  });

  it("harms neither what pods send, nor what the mesh carries", async () => {
    const connect = (to: string, port: number): string => `timeout 2 bash -c ': </dev/tcp/${to}/${port}' && echo yes`;
    expect(await inHost(`ip netns exec pod ${connect("10.213.8.11", 22)}`)).toBe("yes\n");
    expect(await inHost(`ip netns exec pod ${connect(ADDRESS, 10_250)}`)).toBe("yes\n");
    expect(await inHost(`ip netns exec far ${connect(ADDRESS, 10_250)}`)).toBe("yes\n");
    expect(await inHost(`ip netns exec far ${connect("10.64.0.5", 80)}`)).toBe("yes\n");
    // A pod's address from elsewhere than the pods' interfaces is nobody's. No answer would find its way back, so the
    // count of what was refused tells.
    await lab.exec(FAR, "ip address add 10.64.9.9/32 dev lo");
    const refused = async (): Promise<number> =>
      Number(/packets (\d+)/.exec(await inHost("nft list counter inet hybrid_k3s refused"))?.[1]);
    const before = await refused();
    await lab.exec(FAR, `echo x | socat -u - UDP:${ADDRESS}:8472,bind=10.64.9.9`);
    expect(await refused()).toBe(before + 1);
  });

  it("tells TCP the mesh's MTU, in both directions", async () => {
    expect(await segments("far", "pod", "100.64.0.2")).toBe("mss:1228");
    expect(await segments("pod", "pod", "100.64.0.2")).toBe("mss:1228");
    expect(await segments("pod", "far", "10.64.0.5")).toBe("mss:1228");
  });

  it("touches nothing where nothing changes", async () => {
    await inHost("touch /root/mark; nft -a list table inet hybrid_k3s | grep -v counter >/root/handles; sleep 1");
    const again = await apply();
    expect(again).toMatchObject({
      code: 0,
      stdout: "firewall: unchanged\nfirewall: the confirmed rules are active\n",
      stderr: "",
    });
    expect(await inHost("find /etc -newer /root/mark -type f")).toBe("");
    expect(
      await inHost("nft -a list table inet hybrid_k3s | grep -v counter | diff - /root/handles && echo same"),
    ).toBe("same\n");
  });

  it("is confirmed through the jump host where that alone may come in", async () => {
    const through: HostFirewallPlan = { ...PLAN, lan: [], ssh: { ports: [22], from: ["10.213.7.12"] } };
    const done = await apply(through, { jump: NEIGHBOUR });
    expect(done, done.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining("confirmed\n") as string });
    expect((await execute(lab.login(HOST), "true", 3)).code).not.toBe(0);
    expect(await open(NEIGHBOUR, [22, 2379, 6443])).toEqual([22, 6443]);
    expect(await apply(PLAN, { jump: NEIGHBOUR })).toMatchObject({ code: 0 });
  });

  it("comes back after a power cut, before SSH answers", async () => {
    lab.kill(HOST);
    // The lab keeps a host's network namespace, and the tables in it; a real host does not.
    run("ip", ["netns", "exec", hostNamespace(lab.prefix, HOST), "nft", "flush ruleset"], 10);
    await lab.start(HOST);
    expect(await open(FAR, [22])).toEqual([]);
    expect(await inHost("systemctl is-active hybrid-k3s-firewall; systemctl --failed --no-legend --plain")).toBe(
      "active\n",
    );
    expect(await apply()).toMatchObject({ code: 0, stdout: expect.stringContaining("firewall: unchanged") as string });
    const order = await inHost(
      "systemctl show -p Before hybrid-k3s-firewall; systemctl show -p ActiveEnterTimestampMonotonic --value hybrid-k3s-firewall ssh",
    );
    expect(order).toMatch(/network-pre\.target/);
    expect(order).toMatch(/k3s\.service/);
    const [own = 0, ssh = 0] = order.match(/^\d+$/gm)?.map(Number) ?? [];
    expect(own).toBeLessThan(ssh);
  });

  it("comes back after Debian's own service has emptied all tables", async () => {
    await inHost("systemctl start nftables; systemctl restart nftables");
    expect(await inHost("nft -s list table inet hybrid_k3s | head -n 1")).toBe("table inet hybrid_k3s {\n");
    await inHost("systemctl reload nftables; nft list table inet hybrid_k3s >/dev/null; systemctl stop nftables");
    expect(await apply()).toMatchObject({ code: 0 });
  });

  describe("a mistake", () => {
    it("locks nobody out: what cannot be confirmed is taken back, and the next run says so", async () => {
      const kept = await inHost("sha256sum /etc/hybrid-k3s/firewall.nft");
      const session = lab.session(HOST, "for i in $(seq 20); do sleep 1; echo $i; done");
      const start = Date.now();
      const refused = await apply(LOCKED_OUT);
      expect(refused.code).toBe(UNCONFIRMED);
      expect(refused.stderr).toMatch(
        /confirm: host-firewall confirm was not done on server-a \(10\.213\.7\.11 port 22\) over a new connection: .*timed out/,
      );
      expect(refused.stderr).toContain("the host itself rolls back within a minute what host-firewall apply changed");
      expect((await session.finished).stdout).toContain("20\n");
      expect((await execute(lab.login(HOST), "true", 3)).code).not.toBe(0);
      await eventually("SSH to answer again", { seconds: 75 - (Date.now() - start) / 1000 }, async () =>
        (await execute(lab.login(HOST), "true", 3)).code === 0 ? true : undefined,
      );
      expect(await inHost("sha256sum /etc/hybrid-k3s/firewall.nft")).toBe(kept);
      expect(await open(FAR, [22])).toEqual([]);

      const next = await apply();
      expect(next).toMatchObject({ code: 0, stdout: expect.stringContaining("firewall: unchanged") as string });
      expect(next.stderr).toMatch(
        /^the change of the firewall before this one was rolled back at \d{4}-\d\d-\d\d [\d:]+ UTC: it was not confirmed over a new connection within its 60 s$/m,
      );
      expect((await apply()).stderr).toBe("");
    });

    it("before anything was ever confirmed leaves no firewall behind", async () => {
      expect(await alone("remove")).toMatchObject({ code: 0, stdout: "firewall: removed\n" });
      const armed = await alone("apply", LOCKED_OUT, "3");
      expect(armed).toMatchObject({ code: 0, stdout: expect.stringContaining("taken back in 3 s") as string });
      expect(await open(FAR, [22])).toEqual([]);
      await eventually("the roll-back", { seconds: 20 }, async () =>
        (await open(FAR, [22])).length > 0 ? true : undefined,
      );
      expect(await inHost("nft list tables | grep hybrid; ls /etc/hybrid-k3s")).toBe("firewall-rolled-back\n");
      const late = await alone("confirm", LOCKED_OUT);
      expect(late.code).toBe(1);
      expect(late.stderr).toMatch(/was rolled back at .* UTC: this confirmation came too late/);
    });

    it("opens the host where what was confirmed cannot be loaded any more", async () => {
      expect(await apply()).toMatchObject({ code: 0 });
      await inHost("cp /etc/hybrid-k3s/firewall.nft /root/; echo nonsense >/etc/hybrid-k3s/firewall.nft");
      await alone("apply", OTHER, "2");
      await eventually("the roll-back", { seconds: 20 }, async () =>
        (await open(FAR, [22])).length > 0 ? true : undefined,
      );
      const mended = await apply();
      expect(mended).toMatchObject({ code: 0, stderr: expect.stringContaining("was rolled back at") as string });
      expect(await open(FAR, [22])).toEqual([]);
    });

    it("that is mended before its minute is over is taken back first", async () => {
      await alone("apply", OTHER, "600");
      const mended = await alone("apply", MENDED, "600");
      expect(mended.stderr).toContain("a change of the firewall that was waiting to be confirmed is taken back first");
      expect(await alone("confirm", MENDED)).toMatchObject({ code: 0, stdout: "firewall: confirmed\n" });
      expect(await inHost("systemctl list-units --all --no-legend --plain 'hybrid-k3s-firewall-*'")).toBe("");
      await alone("apply", OTHER, "600");
      const other = await alone("confirm");
      expect(other).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("is another change of the firewall") as string,
      });
      expect(await apply()).toMatchObject({ code: 0 });
    });

    it("that a power cut meets in its minute does not outlive it", async () => {
      await alone("apply", OTHER, "600");
      lab.kill(HOST);
      run("ip", ["netns", "exec", hostNamespace(lab.prefix, HOST), "nft", "flush ruleset"], 10);
      await lab.start(HOST);
      expect(await alone("confirm")).toMatchObject({ code: 0, stdout: "firewall: the confirmed rules are active\n" });
    });

    it("by hand is seen, whether a change waits or not", async () => {
      const byHand = "nft insert rule inet hybrid_k3s arriving tcp dport 2379 accept";
      await inHost(byHand);
      expect((await alone("confirm")).stderr).toContain("the rules that are active are not the confirmed ones");
      await alone("apply", OTHER, "600");
      await inHost(byHand);
      expect((await alone("confirm", OTHER)).stderr).toContain(
        "the rules that are active are not the ones that were applied: somebody changed them since",
      );
      expect(await alone("apply")).toMatchObject({ code: 0, stdout: "firewall: unchanged\n" });
    });

    it("in the rules' own text changes nothing", async () => {
      const before = await inHost("nft -s list table inet hybrid_k3s");
      const wrong = hostFirewallRules(PLAN).replace("policy accept", "policy perhaps");
      const refused = await runOnHost(lab, HOST, scriptRun("apply", wrong));
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/^nftables does not take the rules: .*syntax error, unexpected/);
      expect(refused.stderr).toContain("the firewall is as it was");
      expect(await inHost("nft -s list table inet hybrid_k3s")).toBe(before);
      expect(await alone("confirm")).toMatchObject({ code: 0 });
    });

    it("is not begun where its roll-back cannot be armed", async () => {
      await inHost(
        "printf '#!/bin/sh\\necho no bus >&2; exit 1\\n' | install -m 755 /dev/stdin /usr/local/sbin/systemd-run",
      );
      const refused = await alone("apply", LOCKED_OUT);
      await inHost("rm /usr/local/sbin/systemd-run");
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      expect(refused.stderr).toContain("the roll-back could not be armed: no bus\nfix: look at: systemctl status");
      expect(await alone("confirm")).toMatchObject({ code: 0, stdout: "firewall: the confirmed rules are active\n" });
    });
  });

  it("installs nftables where it is missing, and says why where it cannot", async () => {
    const apt = (install: string): string =>
      `printf '%s\\n' '#!/bin/sh' 'case "$*" in *install*) ${install} ;; esac' | install -m 755 /dev/stdin /usr/local/sbin/apt-get`;
    await inHost(`mv /usr/sbin/nft /root/nft; ${apt("echo no mirror; exit 100")}`);
    const refused = await alone("apply");
    expect(refused.stderr).toContain(
      "nftables could not be installed: no mirror\nfix: look at /var/tmp/hybrid-k3s-package-",
    );
    await inHost(apt("mv /root/nft /usr/sbin/nft"));
    expect(await alone("apply")).toMatchObject({ code: 0, stdout: "nftables: installed\nfirewall: unchanged\n" });
    await inHost("rm /usr/local/sbin/apt-get /var/tmp/hybrid-k3s-package-*");
  });

  it("has rules that nftables takes, whatever the plan", async () => {
    const { mesh, ...bare } = PLAN;
    const plans: HostFirewallPlan[] = [
      PLAN,
      { ...bare, cni: "cilium", lan: [], ssh: { ports: [22], from: [] } },
      { ...bare, cni: "cilium", mesh: { interface: "wt0", port: 51_820 }, ssh: { ports: [2222, 22], from: [STATION] } },
      { ...bare, ssh: { ports: [22, 2222], from: "anywhere" }, apiFrom: ["2001:db8::/48", "0.0.0.0/0", "192.0.2.7"] },
      { ...PLAN, role: "agent", lan: ["10.0.0.0/8", "10.0.0.0/24", "fd00::/8"], flannelBackend: "wireguard-native" },
    ];
    expect(mesh?.interface).toBe("tailscale0");
    for (const plan of plans) {
      await lab.exec(HOST, "nft -c -f -", { input: hostFirewallRules(plan) });
    }
  });

  it("is gone without a trace when it is removed", async () => {
    const before = await foreign();
    await alone("apply", OTHER, "600");
    expect(await alone("remove")).toMatchObject({ code: 0, stdout: "firewall: removed\n" });
    expect(await foreign()).toBe(before);
    expect(await open(FAR, [22])).toEqual([22]);
    const traces = "find /etc /run /var/lib /usr -name '*hybrid-k3s-firewall*' -o -path '/etc/hybrid-k3s/firewall*'";
    expect(
      await inHost(
        `${traces}; nft list tables | grep hybrid; systemctl list-units --all 'hybrid-k3s-firewall*' --no-legend`,
      ),
    ).toBe("");
    expect(await alone("remove")).toMatchObject({ code: 0, stdout: "firewall: removed\n" });
  });
});
