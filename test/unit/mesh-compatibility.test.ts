import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { CniVariant } from "../../components/k3s/cni-variant.ts";
import { compatibility, type Pair } from "../../components/mesh/compatibility.ts";
import { compatibilityTable } from "../../components/mesh/compatibility-table.ts";

const CNIS = ["flannel-vxlan", "flannel-wireguard", "cilium", "cilium-beside-kube-proxy"] as const;
const MESHES = ["none", "tailscale", "netbird"] as const;
const pairs = CNIS.flatMap((cni) => MESHES.map((mesh): Pair => ({ cni, mesh })));
const verdict = (pair: Pair) => compatibility(pair).verdict;

describe("a pod network and a mesh", () => {
  test("are proved where they were run here, and refused or asked about everywhere else", () => {
    expect(pairs.map((pair) => `${pair.cni} ${pair.mesh}: ${verdict(pair)}`)).toEqual([
      "flannel-vxlan none: proved",
      "flannel-vxlan tailscale: proved",
      "flannel-vxlan netbird: ask",
      "flannel-wireguard none: ask",
      "flannel-wireguard tailscale: ask",
      "flannel-wireguard netbird: refuse",
      "cilium none: ask",
      "cilium tailscale: ask",
      "cilium netbird: ask",
      "cilium-beside-kube-proxy none: ask",
      "cilium-beside-kube-proxy tailscale: ask",
      "cilium-beside-kube-proxy netbird: ask",
    ]);
  });

  test.each(pairs.map((pair) => [`${pair.cni}, ${pair.mesh}`, pair] as const))("say why and where: %s", (_, pair) => {
    const { reason, link, fix, verdict: given } = compatibility(pair);
    expect(reason).toMatch(/^[^\n|]{10,}$/);
    expect(link).toMatch(/^(?:https:\/\/|docs\/)/);
    expect(fix === undefined).toBe(given !== "refuse");
  });

  test.each([
    ["flannel-wireguard", "tailscale", 51820],
    ["flannel-wireguard", "netbird", 51821],
    ["flannel-vxlan", "tailscale", 8472],
    ["cilium", "netbird", 8472],
  ] as const)("never share a port: %s, %s at %i", (cni, mesh, meshPort) => {
    const { verdict: given, reason, fix } = compatibility({ cni, mesh, meshPort });
    expect(given).toBe("refuse");
    expect(reason).toContain(`UDP ${meshPort}`);
    expect(fix).toMatch(/^set mesh\.port to another port, such as \d+$/);
    expect(verdict({ cni, mesh, meshPort: meshPort + 1000 })).not.toBe("refuse");
  });

  test("are refused where Cilium may not know how to leave the mesh's interface alone", () => {
    const at = (ciliumVersion: string, mesh: Pair["mesh"] = "netbird") =>
      verdict({ cni: "cilium", mesh, ciliumVersion });
    expect([at("1.18.9"), at("1.19.0"), at("1.20.2"), at("2.0.0"), at("1.18.9", "none")]).toEqual([
      ...["refuse", "ask", "ask", "ask", "ask"],
    ]);
  });

  test("are not proved by what ran with other node addresses", () => {
    const mesh = (cni: CniVariant, provider: Pair["mesh"]) => verdict({ cni, mesh: provider, meshAddresses: true });
    expect(mesh("flannel-vxlan", "tailscale")).toBe("ask");
    expect(mesh("flannel-vxlan", "netbird")).toBe("ask");
    expect(mesh("cilium", "tailscale")).toBe("refuse");
    expect(mesh("cilium-beside-kube-proxy", "tailscale")).toBe("ask");
    expect(mesh("cilium", "netbird")).toBe("ask");
  });
});

describe("the settings of a pair", () => {
  test("with Tailscale keep neighbours off the tunnel, and Cilium off its interface", () => {
    expect(compatibility({ cni: "cilium", mesh: "tailscale" }).settings).toEqual({
      mtus: { meshMtu: 1280, carrier: 1360, underlay: 1280, pods: 1230, tcpMss: 1190 },
      meshInterface: "tailscale0",
      siteRule: true,
      cniPorts: [8472],
      blacklist: [],
      closedToMesh: ["cilium_host"],
      devices: ["!tailscale0"],
    });
  });

  test("with NetBird tell its client which addresses are no way to a peer", () => {
    expect(compatibility({ cni: "flannel-wireguard", mesh: "netbird", meshPort: 51830 }).settings).toEqual({
      mtus: { meshMtu: 1280, carrier: 1360, underlay: 1280, pods: 1200, tcpMss: 1160 },
      meshInterface: "wt0",
      siteRule: false,
      cniPorts: [51820, 51821],
      blacklist: ["cilium_", "cni0", "flannel", "lxc", "veth"],
      closedToMesh: [],
    });
  });

  test("without a mesh follow the smallest LAN, and name no interface", () => {
    expect(compatibility({ cni: "cilium", mesh: "none", lanMtu: 1450 }).settings).toEqual({
      mtus: { underlay: 1450, pods: 1400, tcpMss: 1360 },
      siteRule: false,
      cniPorts: [8472],
      blacklist: [],
      closedToMesh: [],
      devices: [],
    });
  });
});

test("docs/mesh.md holds the table that `npm run mesh-compatibility` prints", () => {
  const page = readFileSync(new URL("../../docs/mesh.md", import.meta.url), "utf8");
  const [, section] = /<!-- compatibility -->\n\n([^]*)\n\n<!-- \/compatibility -->/.exec(page) ?? [];
  expect(section).toBe(compatibilityTable());
});
