import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accessOf, firewallRules } from "../../components/hetzner/firewall.ts";
import { publicPorts } from "../../components/lightsail/public-ports.ts";
import { parsePublicPort, publicPortsOf } from "../../components/network/public-port.ts";
import { publicRules, type PublicAccess } from "../../components/network/public-rules.ts";

const access = (more: Partial<PublicAccess> = {}): PublicAccess => ({
  role: "agent",
  ingress: false,
  accessFrom: [],
  ...more,
});
const lines = (more: Partial<PublicAccess>): string[] =>
  publicRules(access(more)).map(({ protocol, port, from, from6 }) => [port, protocol, ...from, ...from6].join(" "));

describe("what is open from outside", () => {
  it("is nothing but the mesh's UDP port where there is a mesh and no other access", () => {
    expect(lines({ meshPort: 41_641 })).toEqual(["41641 udp 0.0.0.0/0 ::/0"]);
    expect(lines({})).toEqual([]);
  });

  it("is what the settings name, whatever their order", () => {
    const wanted = ["25565 tcp 0.0.0.0/0 ::/0", "30000 tcp 0.0.0.0/0 ::/0", "30000 udp 0.0.0.0/0 ::/0"];
    expect(lines({ publicPorts: ["30000/udp", "25565/tcp", "30000/tcp", "25565/tcp"] })).toEqual(wanted);
  });

  it("names no port twice, and the whole world once", () => {
    expect(
      lines({ ingress: true, role: "server", accessFrom: ["192.0.2.0/24"], publicPorts: ["443/tcp", "6443/tcp"] }),
    ).toEqual(["22 tcp 192.0.2.0/24", ...[80, 443, 6443].map((port) => `${port} tcp 0.0.0.0/0 ::/0`)]);
    expect(lines({ meshPort: 51_820, publicPorts: ["51820/udp", "51820/tcp"] })).toEqual([
      "51820 udp 0.0.0.0/0 ::/0",
      "51820 tcp 0.0.0.0/0 ::/0",
    ]);
  });

  it("never lets anybody to SSH or the API but the ranges that may", () => {
    const ports = fc.array(fc.constantFrom("80/tcp", "25565/tcp", "53/udp"));
    const one = fc.record({
      role: fc.constantFrom("server", "agent"),
      ingress: fc.boolean(),
      accessFrom: fc.subarray(["192.0.2.0/24", "2001:db8::/48"]),
      meshPort: fc.constant(41_641),
      publicPorts: ports,
    });
    fc.assert(
      fc.property(one, (given) => {
        for (const { port, from, from6 } of publicRules(given).filter((rule) => [22, 6443].includes(rule.port))) {
          expect([...from, ...from6], String(port)).toEqual(given.accessFrom);
        }
      }),
    );
  });
});

describe("a port of the settings", () => {
  it.each(["25565/tcp", "1/udp", "65535/tcp"])("%s is one", (text) => expect(parsePublicPort(text)).toBeDefined());
  it.each(["", "0/tcp", "65536/tcp", "80", "80/sctp", "080/tcp", "80/TCP", "80-90/tcp", " 80/tcp"])(
    "%j is none",
    (text) => expect(parsePublicPort(text)).toBeUndefined(),
  );
  it("that is none is said with what is allowed", () => {
    expect(() => publicPortsOf(["80/tcp", "http"])).toThrow(
      "publicPorts: found http · allowed such as 25565/tcp or 19132/udp",
    );
  });
});

describe("the clouds' lists", () => {
  it("have UDP ports, on both families", () => {
    const udp = { protocol: "udp", fromPort: 41_641, toPort: 41_641, cidrs: ["0.0.0.0/0"], ipv6Cidrs: ["::/0"] };
    expect(publicPorts(access({ meshPort: 41_641 }))).toEqual([udp]);
    expect(firewallRules(access({ meshPort: 41_641 }))).toEqual([
      {
        direction: "in",
        protocol: "udp",
        port: "41641",
        sourceIps: ["0.0.0.0/0", "::/0"],
        description: "hybrid-k3s 41641/udp",
      },
    ]);
  });

  it("of Hetzner differ by the ports of the settings, not by their order", () => {
    const [one, same, other] = [["1/tcp", "2/udp"], ["2/udp", "1/tcp", "1/tcp"], ["1/tcp"]].map((publicPorts) =>
      accessOf(access({ publicPorts })),
    );
    expect(one).toMatch(/^agent-[0-9a-f]{12}$/);
    expect([same === one, other === one]).toEqual([true, false]);
    expect(accessOf(access({ role: "server", ingress: true, publicPorts: [] }))).toBe("server-ingress");
    expect(accessOf(access({ meshPort: 41_641 }))).toBe("agent");
  });
});
