import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flannelConf } from "../../components/k3s/flannel-conf.ts";
import { mtusOf, type MtuLayers } from "../../components/network/mtu.ts";

/** underlay, pods, TCP segment. */
const EXAMPLES: readonly (readonly [string, MtuLayers, readonly [number, number, number]])[] = [
  ["flannel on one LAN", { cni: "flannel", mesh: "none" }, [1500, 1450, 1410]],
  ["flannel over Tailscale", { cni: "flannel", mesh: "tailscale" }, [1280, 1230, 1190]],
  ["flannel over NetBird", { cni: "flannel", mesh: "netbird" }, [1280, 1230, 1190]],
  [
    "flannel's WireGuard on one LAN",
    { cni: "flannel", flannelBackend: "wireguard-native", mesh: "none" },
    [1500, 1420, 1380],
  ],
  [
    "flannel's WireGuard over Tailscale",
    { cni: "flannel", flannelBackend: "wireguard-native", mesh: "tailscale" },
    [1280, 1200, 1160],
  ],
  ["Cilium on one LAN", { cni: "cilium", mesh: "none" }, [1500, 1450, 1410]],
  ["Cilium over NetBird", { cni: "cilium", mesh: "netbird" }, [1280, 1230, 1190]],
  [
    "Cilium, which knows no backend of flannel",
    { cni: "cilium", flannelBackend: "wireguard-native", mesh: "none" },
    [1500, 1450, 1410],
  ],
  ["Hetzner's private network", { cni: "flannel", mesh: "none", lanMtu: 1450 }, [1450, 1400, 1360]],
  ["a mesh with a larger MTU", { cni: "flannel", mesh: "netbird", meshMtu: 1400 }, [1400, 1350, 1310]],
  ["a LAN below the mesh", { cni: "flannel", mesh: "tailscale", lanMtu: 1200 }, [1200, 1150, 1110]],
  ["jumbo frames with a mesh", { cni: "flannel", mesh: "tailscale", lanMtu: 9000 }, [1280, 1230, 1190]],
  ["a mesh's MTU without a mesh", { cni: "flannel", mesh: "none", meshMtu: 1280 }, [1500, 1450, 1410]],
];

const layers = fc.record(
  {
    cni: fc.constantFrom("flannel", "cilium"),
    flannelBackend: fc.constantFrom("vxlan", "wireguard-native"),
    mesh: fc.constantFrom("none", "tailscale", "netbird"),
    lanMtu: fc.integer({ min: 700, max: 65_535 }),
    meshMtu: fc.integer({ min: 700, max: 65_535 }),
  },
  { requiredKeys: ["cni", "mesh"] },
);

describe("MTUs", () => {
  it.each(EXAMPLES)("%s", (_, given, [underlay, pods, tcpMss]) => {
    expect(mtusOf(given)).toMatchObject({ underlay, pods, tcpMss });
  });

  it("say what a mesh's own packets need of the path outside, and nothing of a mesh that is not there", () => {
    expect(mtusOf({ cni: "flannel", mesh: "tailscale" })).toMatchObject({ meshMtu: 1280, carrier: 1360 });
    expect(Object.keys(mtusOf({ cni: "flannel", mesh: "none", meshMtu: 1300 }))).toEqual([
      "underlay",
      "pods",
      "tcpMss",
    ]);
  });

  it("let every packet of a pod through every layer that it may take", () => {
    fc.assert(
      fc.property(layers, (given) => {
        const { underlay, pods, tcpMss } = mtusOf(given);
        const tunnel = given.cni === "flannel" && given.flannelBackend === "wireguard-native" ? 80 : 50;
        expect(pods + tunnel).toBe(underlay);
        expect(underlay).toBeLessThanOrEqual(given.lanMtu ?? 1500);
        if (given.mesh !== "none") expect(underlay).toBeLessThanOrEqual(given.meshMtu ?? 1280);
        expect(tcpMss + 40).toBe(pods);
      }),
    );
  });

  it("never grow when a layer shrinks", () => {
    fc.assert(
      fc.property(layers, fc.integer({ min: 0, max: 100 }), (given, less) => {
        const [lanMtu, meshMtu] = [given.lanMtu ?? 1500, given.meshMtu ?? 1280];
        const smaller = { ...given, lanMtu: Math.max(700, lanMtu - less), meshMtu: Math.max(700, meshMtu - less) };
        expect(mtusOf(smaller).pods).toBeLessThanOrEqual(mtusOf(given).pods);
      }),
    );
  });

  it.each([
    [{ lanMtu: 0 }, "lanMtu: found 0 · allowed a whole number of bytes from 576 to 65535"],
    [{ lanMtu: 1500.5 }, "lanMtu: found 1500.5 · allowed"],
    [{ meshMtu: 70_000 }, "meshMtu: found 70000 · allowed"],
    [{ meshMtu: 600 }, "MTU of pods: found 550 · allowed"],
  ])("refuse %o", (given, message) => {
    expect(() => mtusOf({ cni: "flannel", mesh: "tailscale", ...given })).toThrow(message);
  });
});

describe("flannel's configuration", () => {
  it("tells VXLAN the MTU of what lies below", () => {
    expect(JSON.parse(flannelConf({ pods: "10.64.0.0/16", backend: "vxlan", underlay: 1280 }))).toEqual({
      Network: "10.64.0.0/16",
      EnableIPv4: true,
      EnableIPv6: false,
      IPv6Network: "::/0",
      Backend: { Type: "vxlan", MTU: 1280 },
    });
  });

  it("calls WireGuard as flannel does, and keeps NATs open as k3s does", () => {
    const { Backend } = JSON.parse(
      flannelConf({ pods: "10.64.0.0/16", backend: "wireguard-native", underlay: 1280 }),
    ) as { Backend: unknown };
    expect(Backend).toEqual({ Type: "wireguard", MTU: 1280, PersistentKeepaliveInterval: 25 });
  });
});
