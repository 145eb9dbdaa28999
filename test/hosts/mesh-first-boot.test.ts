import { afterAll, beforeAll, expect, it } from "vitest";
import { hostFirewallRules, type HostFirewallPlan } from "../../components/firewall/rules.ts";
import { greets } from "../support/lab/boot.ts";
import { describeHosts } from "../support/lab/describe-hosts.ts";
import { MeshLab, TAG } from "../support/lab/mesh.ts";
import { BUILD_BUDGET, MESH_PREREQUISITES } from "../support/lab/mesh-tools.ts";
import { hostNamespace } from "../support/lab/network.ts";
import { LONGEST_ANSWER, PortScan } from "../support/lab/port-scan.ts";
import { succeeded } from "../support/lab/region.ts";
import { eventually, pause, run, type Finished } from "../support/lab/run.ts";
import { runFromStation, SCRIPTS, type ScriptRun } from "../support/lab/scripts.ts";

/** The machine that is made anew, and a host of another site that reaches it through the mesh alone. */
const MACHINE = "server-a";
const ELSEWHERE = "agent-b";
const PORTS = ["22/tcp", "80/tcp", "443/tcp", "2379/tcp", "6443/tcp", "10250/tcp", "8472/udp"];
const ALLOWED = ["80/tcp", "443/tcp"];

/** This computer's leg into the site is no neighbour: it is let in to SSH by its address, as `access.from` names one. */
const PLAN: HostFirewallPlan = {
  role: "server",
  cni: "flannel",
  pods: "10.64.0.0/16",
  services: "10.65.0.0/16",
  lan: ["10.214.1.0/25"],
  mesh: { interface: "tailscale0", port: 41_641 },
  ingress: true,
  ssh: { ports: [22], from: ["10.214.1.254"] },
};
const LATER: HostFirewallPlan = { ...PLAN, publicPorts: ["25565/tcp"] };
/** A mistake: another interface is the mesh's. */
const SHUT: HostFirewallPlan = { ...PLAN, mesh: { interface: "wt0", port: 51_820 } };

/** An image that listens on everything: what is not heard of later is shut, and not absent. */
const LISTENERS = PORTS.filter((port) => port !== "22/tcp")
  .map((port) => port.split("/"))
  .map(
    ([number, protocol]) =>
      `systemd-run --quiet socat ${protocol!.toUpperCase()}-LISTEN:${number},fork,reuseaddr EXEC:cat`,
  )
  .join("\n");

describeHosts("a cloud machine's first boot into a mesh", MESH_PREREQUISITES, () => {
  let mesh: MeshLab;
  let scan: PortScan | undefined;
  /** When its user data began, and when its power was cut and it was back. ms */
  let began = 0;
  let off = 0;
  let back = 0;
  /** Where the machine before it was in the mesh, and where it is. */
  let before = "";
  let address = "";

  const tables = (): Promise<string> => mesh.on(MACHINE, "nft -s list table inet hybrid_k3s");
  const meshAddress = async (): Promise<string> => (await mesh.headscale.device(MACHINE)).addresses[0]!;
  /** The way of `pulumi up` from a computer of the mesh: every connection goes through it. */
  const throughMesh = (plan: HostFirewallPlan, more: Partial<ScriptRun> = {}, seconds = 60): Promise<Finished> =>
    runFromStation(
      mesh.lab,
      { targets: [MACHINE], address, jump: ELSEWHERE, connectSeconds: 5 },
      {
        script: SCRIPTS.firewall,
        action: "apply",
        parameters: { NODE_NAME: MACHINE, ROLLBACK_SECONDS: String(seconds), RULES: hostFirewallRules(plan) },
        lock: "hybrid-k3s-firewall",
        ...more,
      },
    );
  const sshThroughMesh = (): Promise<boolean> => mesh.works(ELSEWHERE, `timeout 2 bash -c ': </dev/tcp/${address}/22'`);

  /** Shuts the mesh, and waits until the machine has opened it again by itself. */
  const mistake = async (): Promise<void> => {
    const applied = await throughMesh(SHUT, {}, 8);
    expect(applied, applied.stderr).toMatchObject({ code: 0 });
    expect(await sshThroughMesh()).toBe(false);
    await eventually("the machine in the mesh", { seconds: 30, every: 0.5 }, async () => {
      return (await sshThroughMesh()) || undefined;
    });
  };

  beforeAll(async () => {
    mesh = await MeshLab.create([MACHINE, ELSEWHERE]);
    const join = async () => succeeded(await mesh.join(MACHINE, await mesh.headscale.createKey(TAG)));
    await Promise.all([mesh.enter(ELSEWHERE), join()]);
    before = await meshAddress();
  }, BUILD_BUDGET);
  afterAll(async () => {
    await scan?.stop();
    mesh.lab.close();
  });

  it("is open to the internet before its user data runs", async () => {
    await mesh.headscale.removeDevice((await mesh.headscale.device(MACHINE)).id);
    await mesh.lab.start(MACHINE, { wipe: true });
    await mesh.on(MACHINE, LISTENERS);
    scan = new PortScan(mesh.lab, "control", mesh.lab.host(MACHINE).address, PORTS);
    await eventually("every port to answer", { seconds: 20 }, () => {
      return Promise.resolve(scan!.answered(0, Infinity).length === PORTS.length || undefined);
    });
  });

  it("joins under the name of the machine before it, with rules that a restart brings back", async () => {
    const key = await mesh.headscale.createKey(TAG);
    const log = await mesh.firstBoot(MACHINE, await mesh.userData(MACHINE, key, hostFirewallRules(PLAN)));
    began = Number(await mesh.on(MACHINE, "cat /root/began"));
    expect(log).toMatch(
      /^bootstrap begins\nthe firewall stands\nthe mesh: tailscale 1\.102\.4 is installed and joins\nbootstrap ends\nended\n$/,
    );
    const states = "is-active ssh hybrid-k3s-firewall; systemctl is-enabled ssh hybrid-k3s-firewall";
    expect(await mesh.on(MACHINE, `systemctl ${states}`)).toBe("active\nactive\nenabled\nenabled\n");
    expect((await mesh.headscale.device(MACHINE)).tags).toEqual([TAG]);
    address = await meshAddress();
    expect(address).not.toBe(before);
    expect(scan!.answered(began + 1000, Infinity)).toEqual(ALLOWED);
  });

  it("is as shut after a power cut, before its sshd is up", async () => {
    off = Date.now();
    await pause(LONGEST_ANSWER);
    mesh.lab.kill(MACHINE);
    // The lab keeps a host's network namespace, and the tables in it; a real host does not.
    run("ip", ["netns", "exec", hostNamespace(mesh.lab.prefix, MACHINE), "nft", "flush ruleset"], 10);
    await mesh.lab.start(MACHINE);
    back = Date.now();
    const loaded = "systemctl show -p ActiveEnterTimestampMonotonic --value hybrid-k3s-firewall ssh";
    const [firewall = 0, ssh = 0] = (await mesh.on(MACHINE, loaded)).match(/^\d+$/gm)?.map(Number) ?? [];
    expect(firewall).toBeGreaterThan(0);
    expect(firewall).toBeLessThan(ssh);
  });

  it("is what its neighbours reach under its private address", async () => {
    succeeded(await mesh.node(MACHINE, "converge"));
    await mesh.reaches(ELSEWHERE, mesh.lab.host(MACHINE).address, 60);
    expect(await mesh.interfaceTo(ELSEWHERE, mesh.lab.host(MACHINE).address)).toBe("tailscale0");
    expect(await sshThroughMesh()).toBe(true);
  });

  it("has nothing to change where the rules of the day are its first ones", async () => {
    const done = await throughMesh(PLAN, { confirmAction: "confirm" });
    expect(done, done.stderr).toMatchObject({
      code: 0,
      stdout: "firewall: unchanged\nfirewall: the confirmed rules are active\n",
      stderr: "",
    });
  });

  it("goes back to its first rules, not to none, from a change that shuts the mesh", async () => {
    const stood = await tables();
    await mistake();
    expect(await tables()).toBe(stood);
    const late = await throughMesh(SHUT, { action: "confirm" });
    expect(late.code).toBe(1);
    expect(late.stderr).toContain("this confirmation came too late");
  });

  it("takes the host firewall over the mesh, and has it confirmed over the mesh", async () => {
    const done = await throughMesh(LATER, { confirmAction: "confirm" });
    expect(done, done.stderr).toMatchObject({ code: 0, stdout: expect.stringMatching(/confirmed\n$/) as string });
    expect(done.stderr).toContain("the change of the firewall before this one was rolled back at ");
    expect(await tables()).toContain("25565");
  });

  it("rolls a mistake back to what was confirmed, and is reached through the mesh again", async () => {
    await mistake();
    expect(await tables()).toContain("25565");
    const again = await throughMesh(LATER, { confirmAction: "confirm" });
    expect(again, again.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining("unchanged") as string });
  });

  it("answered the internet on no other port than 80 and 443 since the first second of its user data", async () => {
    const until = Date.now();
    await pause(LONGEST_ANSWER);
    await scan!.stop();
    expect(scan!.answered(0, began)).toEqual(PORTS.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)));
    expect(scan!.answered(began + 1000, off)).toEqual(ALLOWED);
    // A host that is off has no network; the lab's has, and refuses.
    expect(scan!.answered(back, Infinity)).toEqual(ALLOWED);
    for (const port of PORTS) {
      const asked = scan!.answers.filter((answer) => answer.port === port && answer.at >= began && answer.at < until);
      expect([port, asked.length > (until - began) / 300]).toEqual([port, true]);
    }
  });

  it("leaves sshd off where nftables cannot be had, and joins all the same", async () => {
    await mesh.headscale.removeDevice((await mesh.headscale.device(MACHINE)).id);
    await mesh.lab.start(MACHINE, { wipe: true });
    // The tables that the lab keeps with the network must not be what shuts it. No repository is reached from here.
    await mesh.on(MACHINE, "nft flush ruleset; dpkg --remove --force-depends nftables");
    const text = await mesh.userData(MACHINE, await mesh.headscale.createKey(TAG), hostFirewallRules(PLAN));
    const session =
      "install -m 700 /dev/stdin /root/user-data; /root/user-data </dev/null; cat /var/log/hybrid-k3s-bootstrap.log";
    const { stdout } = await mesh.lab.exec(MACHINE, `${session}; systemctl is-active ssh; systemctl is-enabled ssh`, {
      input: text,
      seconds: 120,
      mayFail: true,
    });
    const why = "sshd stays off: nftables could not be installed: E: [^\\n]+\\n";
    expect(stdout).toMatch(
      new RegExp(`^bootstrap begins\\n${why}the mesh: [^\\n]+ joins\\n${why}bootstrap ends\\ninactive\\nmasked\\n$`),
    );
    expect((await mesh.headscale.device(MACHINE)).tags).toEqual([TAG]);
    expect(await greets(mesh.lab.host(MACHINE).address)).toBe(false);
  });
});
