import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hostFirewallRules, type HostFirewallPlan } from "../../components/firewall/rules.ts";

const plan = (more: Partial<HostFirewallPlan> = {}): HostFirewallPlan => ({
  role: "server",
  cni: "flannel",
  pods: "10.64.0.0/16",
  services: "10.65.0.0/16",
  lan: ["172.26.0.0/16"],
  ingress: false,
  ssh: { ports: [22], from: ["198.51.100.7"] },
  ...more,
});
const TAILSCALE = { interface: "tailscale0", port: 41_641 };
const NETBIRD = { interface: "wt0", port: 51_820 };

const linesOf = (more: Partial<HostFirewallPlan> = {}): string[] =>
  hostFirewallRules(plan(more))
    .split("\n")
    .map((line) => line.trim());

const MATRIX = (["server", "agent"] as const).flatMap((role) =>
  ([undefined, TAILSCALE] as const).flatMap((mesh) =>
    [false, true].flatMap((ingress) =>
      (["flannel", "cilium"] as const).map((cni) => ({
        name: `${role}, ${mesh === undefined ? "no mesh" : "mesh"}, ${ingress ? "ingress" : "no ingress"}, ${cni}`,
        more: { role, ingress, cni, ...(mesh === undefined ? {} : { mesh }) },
      })),
    ),
  ),
);

describe("the host firewall's rules", () => {
  it("of a server that is managed over the mesh alone", () => {
    expect(hostFirewallRules(plan({ mesh: TAILSCALE, ssh: { ports: [22], from: [] } }))).toMatchSnapshot();
  });

  it("of an agent with everything", () => {
    expect(
      hostFirewallRules({
        ...plan({ role: "agent", cni: "cilium", mesh: NETBIRD, ingress: true }),
        publicPorts: ["25565/tcp", "19132/udp"],
        ssh: { ports: [2222], from: ["2001:db8::/48", "198.51.100.7", "192.0.2.0/24"] },
      }),
    ).toMatchSnapshot();
  });

  it("differ by role, mesh, ingress and pod network in these lines alone", () => {
    const texts = MATRIX.map(({ name, more }) => ({ name, lines: linesOf(more) }));
    const everywhere = texts[0]!.lines.filter((line) => texts.every(({ lines }) => lines.includes(line)));
    const own = texts.map(({ name, lines }) => [name, ...lines.filter((line) => !everywhere.includes(line))]);
    expect(own.map((lines) => lines.join("\n  ")).join("\n\n")).toMatchSnapshot();
  });

  it("are the same for the same plan, in whatever order it is written", () => {
    const shuffled = { ...plan({ lan: ["10.1.0.0/24", "10.0.0.0/24"], publicPorts: ["2/udp", "1/tcp", "2/udp"] }) };
    const sorted = { ...plan({ lan: ["10.0.0.9/24", "10.1.0.0/24"], publicPorts: ["1/tcp", "2/udp"] }) };
    expect(hostFirewallRules(shuffled)).toBe(hostFirewallRules(sorted));
  });

  it("name each interface that pods come from", () => {
    const interfaces = (more: Partial<HostFirewallPlan>): string[] =>
      linesOf(more).flatMap((line) => /^iifname "([^"]+)" ip saddr @cluster_ipv4 accept$/.exec(line)?.[1] ?? []);
    expect(interfaces({})).toEqual(["cni0", "flannel.1"]);
    expect(interfaces({ flannelBackend: "wireguard-native" })).toEqual(["cni0", "flannel-wg"]);
    expect(interfaces({ cni: "cilium", flannelBackend: "wireguard-native" })).toEqual(["cilium_*", "lxc*"]);
  });

  it("open SSH to everybody where the host is managed from anywhere, but never the API", () => {
    const lines = linesOf({ ssh: { ports: [2222], from: "anywhere" } });
    expect(lines).toContain("tcp dport { 2222 } accept");
    expect(lines.filter((line) => line.includes("6443"))).toEqual([]);
  });

  it("open both ports that sshd may have to those who may come, where a router forwards another one", () => {
    const both = linesOf({ ssh: { ports: [2222, 22, 22], from: ["198.51.100.7"] } });
    expect(both).toContain("ip saddr @ssh_ipv4 tcp dport { 22, 2222 } accept");
    expect(linesOf()).toContain("ip saddr @ssh_ipv4 tcp dport 22 accept");
  });

  it("open the API to its own ranges where they are named, and on servers alone", () => {
    const api = (more: Partial<HostFirewallPlan>): string[] => linesOf(more).filter((line) => line.includes("6443"));
    const named = { ssh: { ports: [22], from: "anywhere" as const }, apiFrom: ["192.0.2.0/24", "2001:db8::/48"] };
    expect(api(named)).toEqual([
      "ip saddr @api_ipv4 tcp dport 6443 accept",
      "ip6 saddr @api_ipv6 tcp dport 6443 accept",
    ]);
    expect(api({ ...named, role: "agent" })).toEqual([]);
    expect(api({ apiFrom: [] })).toEqual([]);
  });

  it("have a range once where it may reach both SSH and the API", () => {
    const from = ["198.51.100.7", "2001:db8::/48"];
    const times = (text: string, lines: readonly string[]): number =>
      lines.filter((line) => line.includes(text)).length;
    const same = linesOf({ ssh: { ports: [22], from } });
    expect([times("2001:db8::/48", same), times("set api_", same)]).toEqual([1, 0]);
    expect(same).toEqual(
      expect.arrayContaining([
        "ip saddr @ssh_ipv4 tcp dport 6443 accept",
        "ip6 saddr @ssh_ipv6 tcp dport 6443 accept",
        "ip saddr @ssh_ipv4 tcp dport 22 accept",
        "ip6 saddr @ssh_ipv6 tcp dport 22 accept",
      ]),
    );
    expect(linesOf({ ssh: { ports: [22], from }, apiFrom: [...from].reverse() })).toEqual(same);
    const fewer = linesOf({ ssh: { ports: [22], from }, apiFrom: ["2001:db8::/48"] });
    expect(fewer.filter((line) => line.includes("6443"))).toEqual(["ip6 saddr @api_ipv6 tcp dport 6443 accept"]);
    expect(times("2001:db8::/48", fewer)).toBe(2);
    expect(linesOf({ role: "agent", ssh: { ports: [22], from } }).filter((line) => line.includes("6443"))).toEqual([]);
  });

  it("end with a drop that is counted, whatever the plan", () => {
    const range = fc
      .tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }))
      .map(([address, prefix]) => `${address}/${prefix}`);
    const some = fc.record({
      role: fc.constantFrom("server", "agent"),
      cni: fc.constantFrom("flannel", "cilium"),
      lan: fc.array(range, { maxLength: 3 }),
      ingress: fc.boolean(),
      ssh: fc.record({
        ports: fc.constantFrom([22], [22, 2222]),
        from: fc.oneof(fc.constant("anywhere" as const), fc.array(range)),
      }),
    });
    fc.assert(
      fc.property(some, (given) => {
        const lines = linesOf(given);
        const end = lines.indexOf("}", lines.indexOf("chain arriving {"));
        expect(lines[end - 1]).toBe("counter name refused drop");
        expect(lines.filter((line) => line === "accept" || line.startsWith("accept"))).toEqual([]);
        expect(lines.filter((line) => line.includes("{ }"))).toEqual([]);
      }),
    );
  });

  it.each([
    [{ lan: ["10.20.0.0/33"] }, 'found "10.20.0.0/33" · allowed an address or a range such as 10.20.0.0/24'],
    [{ ssh: { ports: [22], from: ["jump.example.net"] } }, 'found "jump.example.net" · allowed an address or a range'],
    [{ ssh: { ports: [], from: ["198.51.100.7"] } }, "ssh.ports: found none · allowed at least one port"],
    [{ publicPorts: ["http"] }, "publicPorts: found http · allowed such as 25565/tcp"],
    [{ lan: ["} accept; {"] }, 'found "} accept; {" · allowed'],
    [{ mesh: { interface: 'wt0" accept', port: 1 } }, 'interface: found "wt0\\" accept" · allowed'],
  ])("refuse %o", (more, message) => {
    expect(() => hostFirewallRules(plan(more))).toThrow(message);
  });
});
