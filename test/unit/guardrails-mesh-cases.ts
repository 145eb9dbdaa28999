import { AGENT, type Case, type MachineLine, SERVERS } from "./guardrails-cases.ts";

const TAILSCALE = { provider: "tailscale" };
const NETBIRD = { provider: "netbird", operators: ["ops"] };
const CILIUM = { cni: "cilium" };
/** An agent on a LAN that holds the servers', or lies in it. */
const ATTIC: MachineLine = ["attic/agent d 10.20.0.130"];
const SHARED = { machines: [...SERVERS, ATTIC], lans: { attic: "10.20.0.128/25" } };
const BESIDE = { cni: "cilium", cilium: { kubeProxyReplacement: false } };

/** A machine of rack with ports that the world may connect to. */
const opening = (...publicPorts: string[]) => ({
  siteSettings: { rack: { pools: { agent: { machines: { w: { publicPorts } } } } } },
});

const named = (vm: string) => ({ provider: "lima", pools: { work: { role: "agent", machines: { [vm]: {} } } } });
const lima = named("vm");

/** Hosts that stand already, and a virtual machine that is joined as they are. */
const VMS = { sites: { mac: lima } };

/** Hosts that stand already, and an instance in a cloud. */
const CLOUD = {
  sites: {
    cloud: {
      provider: "lightsail",
      awsRegion: "ap-northeast-1",
      access: { from: ["198.51.100.7/32"] },
      pools: { work: { role: "agent", machines: { l: { zone: "a", bundle: "large_3_0" } } } },
    },
  },
};

/** Cases of the guardrails that watch over the mesh and the pod network. */
export const meshCases: Readonly<Record<string, readonly Case[]>> = {
  "cilium-version-skip": [
    { title: "before the first update", settings: { kubernetes: CILIUM } },
    {
      title: "one minor on",
      settings: { kubernetes: { ...CILIUM, cilium: { version: "1.20.2" } } },
      deployed: { kubernetes: { ...CILIUM, cilium: { version: "1.19.7" } } },
    },
    {
      title: "one minor back",
      settings: { kubernetes: { ...CILIUM, cilium: { version: "1.19.7" } } },
      deployed: { kubernetes: { ...CILIUM, cilium: { version: "1.20.2" } } },
    },
    { title: "another pod network", deployed: { kubernetes: { ...CILIUM, cilium: { version: "1.17.0" } } } },
    {
      title: "two minors on",
      settings: { kubernetes: { ...CILIUM, cilium: { version: "1.20.2" } } },
      deployed: { kubernetes: { ...CILIUM, cilium: { version: "1.18.9" } } },
      findings: [
        "kubernetes.cilium.version: found 1.20.2 · allowed 1.17 to 1.19, one minor version from the deployed 1.18.9 · fix: set the newest release of 1.19, update, then go on",
      ],
    },
    {
      title: "two minors back",
      settings: { kubernetes: { ...CILIUM, cilium: { version: "1.18.9" } } },
      deployed: { kubernetes: { ...CILIUM, cilium: { version: "1.20.2" } } },
      findings: [
        "kubernetes.cilium.version: found 1.18.9 · allowed 1.19 to 1.21, one minor version from the deployed 1.20.2 · fix: set the newest release of 1.19, update, then go on",
      ],
    },
  ],
  "cni-changed": [
    { title: "before the first update", settings: { kubernetes: CILIUM } },
    { title: "the same", settings: { kubernetes: CILIUM }, deployed: { kubernetes: CILIUM } },
    {
      title: "Cilium in place of flannel",
      settings: { kubernetes: CILIUM },
      deployed: {},
      findings: [
        "kubernetes.cni: found Cilium in place of kube-proxy · allowed flannel (vxlan), as deployed · fix: set cni, flannelBackend and cilium.kubeProxyReplacement back, or build a new region and move to it",
      ],
    },
    {
      title: "another backend of flannel",
      deployed: { kubernetes: { flannelBackend: "wireguard-native" } },
      findings: [
        "kubernetes.cni: found flannel (vxlan) · allowed flannel (wireguard-native), as deployed · fix: set cni, flannelBackend and cilium.kubeProxyReplacement back, or build a new region and move to it",
      ],
    },
    {
      title: "kube-proxy back beside Cilium",
      settings: { kubernetes: BESIDE },
      deployed: { kubernetes: CILIUM },
      findings: [
        "kubernetes.cni: found Cilium beside kube-proxy · allowed Cilium in place of kube-proxy, as deployed · fix: set cni, flannelBackend and cilium.kubeProxyReplacement back, or build a new region and move to it",
      ],
    },
  ],
  "etcd-over-mesh": [
    { title: "servers on their LAN", settings: { mesh: TAILSCALE } },
    {
      title: "agents on mesh addresses",
      settings: { ...SHARED, mesh: TAILSCALE, siteSettings: { attic: { nodeAddresses: "mesh" } } },
    },
    {
      title: "servers on mesh addresses",
      settings: { mesh: TAILSCALE, siteSettings: { rack: { nodeAddresses: "mesh" } } },
      findings: [
        "sites.rack.nodeAddresses: found mesh, with servers: a, b, c · allowed lan on the site of the servers; mesh on sites of agents alone · fix: remove it, and write nodeAddresses: mesh on the sites that share this one's LAN range",
      ],
    },
    {
      title: "servers on NetBird's addresses",
      settings: { mesh: NETBIRD, siteSettings: { rack: { nodeAddresses: "mesh" } } },
      findings: [
        "sites.rack.nodeAddresses: found mesh, with servers: a, b, c · allowed lan on the site of the servers; mesh on sites of agents alone · fix: remove it, and renumber the LANs that share a range",
      ],
    },
  ],
  "key-lifetime": [
    { title: "no mesh" },
    { title: "an hour, for VMs that fetch their image", settings: { mesh: TAILSCALE, sites: { mac: lima } } },
    { title: "ten minutes, for hosts that stand", settings: { mesh: { ...NETBIRD, keyLifetime: "10m" } } },
    {
      title: "too short for hosts that stand",
      settings: { mesh: { ...TAILSCALE, keyLifetime: "9m30s" } },
      findings: [
        "mesh.keyLifetime: found 9.5m · allowed at least 10m, for sites.rack (existing) · fix: write 10m or more, or remove it for 1h: a key is used once, whatever its lifetime",
      ],
    },
    {
      title: "too short for VMs, long enough for hosts",
      settings: { mesh: { ...TAILSCALE, keyLifetime: "30m" }, sites: { mac: lima } },
      findings: [
        "mesh.keyLifetime: found 30m · allowed at least 45m, for sites.mac (lima) · fix: write 45m or more, or remove it for 1h: a key is used once, whatever its lifetime",
      ],
    },
  ],
  "lan-overlap": [
    { title: "without a mesh, where it is cidr-overlap's", settings: SHARED },
    { title: "LANs apart", settings: { mesh: TAILSCALE, machines: [...SERVERS, ["attic/agent d 192.168.1.5"]] } },
    {
      title: "one LAN, with mesh addresses for the agents",
      settings: { ...SHARED, mesh: TAILSCALE, siteSettings: { attic: { nodeAddresses: "mesh" } } },
    },
    {
      title: "one LAN three times, with mesh addresses on two",
      settings: {
        machines: [...SERVERS, ATTIC, ["cellar/agent e 10.20.0.131"]],
        lans: { attic: "10.20.0.128/25", cellar: "10.20.0.128/25" },
        mesh: TAILSCALE,
        siteSettings: { attic: { nodeAddresses: "mesh" }, cellar: { nodeAddresses: "mesh" } },
      },
    },
    {
      title: "LANs apart with NetBird",
      settings: { mesh: NETBIRD, machines: [...SERVERS, ["attic/agent d 192.168.1.5"]] },
    },
    {
      title: "one LAN with NetBird, which asks the LAN first, with mesh addresses for the agents",
      settings: { ...SHARED, mesh: NETBIRD, siteSettings: { attic: { nodeAddresses: "mesh" } } },
      findings: [
        "sites.attic.lan: found 10.20.0.128/25, which overlaps sites.rack.lan 10.20.0.0/24 · allowed LANs apart: with NetBird a host looks for all addresses of its LAN's range there · fix: renumber sites.attic.lan 10.20.0.128/25",
      ],
    },
    {
      title: "one LAN of two sites whose addresses are all in NetBird",
      settings: {
        machines: [...SERVERS, ["attic/agent d 192.168.1.5"], ["cellar/agent e 192.168.1.6"]],
        lans: { cellar: "192.168.1.0/24" },
        mesh: NETBIRD,
        siteSettings: { attic: { nodeAddresses: "mesh" }, cellar: { nodeAddresses: "mesh" } },
      },
    },
    {
      title: "VMs of two computers that are all in Tailscale",
      settings: {
        mesh: TAILSCALE,
        sites: { imac: { ...lima, nodeAddresses: "mesh" }, mac: { ...named("two"), nodeAddresses: "mesh" } },
      },
    },
    {
      title: "VMs of two computers, which give out the same addresses, with mesh addresses for the ones",
      settings: { mesh: TAILSCALE, sites: { imac: lima, mac: { ...named("two"), nodeAddresses: "mesh" } } },
      findings: [
        "sites.mac.lan: found 192.168.105.0/24, which overlaps sites.imac.lan 192.168.105.0/24 · allowed LANs apart, or nodeAddresses: mesh on both: VMs of two computers get the same addresses of a range · fix: renumber sites.mac.lan 192.168.105.0/24",
      ],
    },
    {
      title: "one LAN, with an agents' site that could give way",
      settings: { ...SHARED, mesh: TAILSCALE },
      findings: [
        "sites.attic.lan: found 10.20.0.128/25, which overlaps sites.rack.lan 10.20.0.0/24 · allowed LANs apart, or nodeAddresses: mesh on all but one of the sites that share a range · fix: write sites.attic.nodeAddresses: mesh, or renumber sites.attic.lan 10.20.0.128/25",
      ],
    },
    {
      title: "one LAN, and servers on both",
      settings: { ...SHARED, machines: [...SERVERS, ["attic/server d 10.20.0.130"]], mesh: TAILSCALE },
      findings: [
        "sites.rack.lan: found 10.20.0.0/24, which overlaps sites.attic.lan 10.20.0.128/25 · allowed LANs apart, or nodeAddresses: mesh on all but one of the sites that share a range · fix: renumber sites.rack.lan 10.20.0.0/24",
      ],
    },
  ],
  "mesh-added": [
    { title: "before the first update", settings: { mesh: TAILSCALE } },
    { title: "the same", settings: { mesh: TAILSCALE }, deployed: { mesh: TAILSCALE } },
    { title: "one that goes, where it is mesh-changed's", deployed: { mesh: TAILSCALE } },
    {
      title: "a machine in a cloud, where it is mesh-changed's",
      settings: { mesh: TAILSCALE, ...CLOUD },
      deployed: CLOUD,
    },
    {
      title: "a mesh for hosts that stood already, and for VMs",
      settings: { mesh: TAILSCALE, ...VMS },
      deployed: VMS,
      findings: [
        "mesh.provider: found tailscale · allowed none, as deployed · fix: plan an interruption and accept this: pods keep the MTU that they started with until they start again",
      ],
    },
  ],
  "mesh-changed": [
    { title: "before the first update", settings: { mesh: TAILSCALE } },
    { title: "the same", settings: { mesh: TAILSCALE }, deployed: { mesh: TAILSCALE } },
    {
      title: "a mesh for hosts that stood already, where it is mesh-added's",
      settings: { mesh: NETBIRD },
      deployed: {},
    },
    {
      title: "a mesh for machines in a cloud, and for hosts beside them",
      settings: { mesh: TAILSCALE, ...CLOUD },
      deployed: CLOUD,
      findings: [
        "mesh.provider: found tailscale · allowed none, as deployed · fix: set mesh.provider back, or build a new region and move to it",
      ],
    },
    {
      title: "another mesh",
      settings: { mesh: NETBIRD },
      deployed: { mesh: TAILSCALE },
      findings: [
        "mesh.provider: found netbird · allowed tailscale, as deployed · fix: set mesh.provider back, or build a new region and move to it",
      ],
    },
    {
      title: "no mesh any more",
      deployed: { mesh: TAILSCALE },
      findings: [
        "mesh.provider: found none · allowed tailscale, as deployed · fix: set mesh.provider back, or build a new region and move to it",
      ],
    },
  ],
  "mesh-cni": [
    { title: "a pair that was run", settings: { mesh: TAILSCALE } },
    { title: "a pair that was not", settings: { mesh: NETBIRD } },
    {
      title: "NetBird on a port of its own",
      settings: { mesh: { ...NETBIRD, port: 51830 }, kubernetes: { flannelBackend: "wireguard-native" } },
    },
    {
      title: "NetBird on flannel's port",
      settings: { mesh: NETBIRD, kubernetes: { flannelBackend: "wireguard-native" } },
      findings: [
        "mesh.provider: found netbird, with flannel (wireguard-native): the mesh's client and the pod network would both listen on UDP 51820 (https://docs.k3s.io/installation/requirements#networking) · allowed a pair that is not known to fail: docs/mesh.md lists them · fix: set mesh.port to another port, such as 51830",
      ],
    },
    {
      title: "an old Cilium",
      settings: { mesh: TAILSCALE, kubernetes: { ...CILIUM, cilium: { version: "1.18.9" } } },
      findings: [
        "mesh.provider: found tailscale, with Cilium in place of kube-proxy: Cilium 1.18.9 may not know how to leave the mesh's interface alone: MTU and routes would follow it (https://github.com/cilium/cilium/pull/40152) · allowed a pair that is not known to fail: docs/mesh.md lists them · fix: set kubernetes.cilium.version to 1.19.0 or newer",
      ],
    },
    {
      title: "Tailscale's addresses on nodes with Cilium",
      settings: {
        ...SHARED,
        mesh: TAILSCALE,
        kubernetes: CILIUM,
        siteSettings: { attic: { nodeAddresses: "mesh" } },
      },
      findings: [
        "mesh.provider: found tailscale, with Cilium in place of kube-proxy: pods lose connections to their own node where its address is Tailscale's and Cilium stands in for kube-proxy (https://github.com/cilium/cilium/issues/46680) · allowed a pair that is not known to fail: docs/mesh.md lists them · fix: set nodeAddresses: lan and renumber the LAN, or kubernetes.cilium.kubeProxyReplacement: false",
      ],
    },
  ],
  "mesh-cni-unproved": [
    { title: "flannel without a mesh" },
    { title: "flannel with Tailscale", settings: { mesh: TAILSCALE } },
    {
      title: "a pair that is refused",
      settings: { mesh: NETBIRD, kubernetes: { flannelBackend: "wireguard-native" } },
    },
    {
      title: "Cilium without a mesh",
      settings: { kubernetes: CILIUM },
      findings: [
        "mesh.provider: found none, with Cilium in place of kube-proxy: never run here (https://docs.cilium.io/en/stable/installation/k3s/) · allowed a pair that was run: docs/mesh.md lists them · fix: try it where it may fail and accept this, or take a pair that was run",
      ],
    },
    {
      title: "Cilium beside kube-proxy with NetBird",
      settings: { kubernetes: BESIDE, mesh: NETBIRD },
      findings: [
        "mesh.provider: found netbird, with Cilium beside kube-proxy: never run here; NetBird took cilium_host for a way to its peers, which the blacklist rules out (https://github.com/netbirdio/netbird/issues/7353) · allowed a pair that was run: docs/mesh.md lists them · fix: try it where it may fail and accept this, or take a pair that was run",
      ],
    },
  ],
  "mtu-too-small": [
    { title: "without a mesh" },
    { title: "VXLAN in the mesh", settings: { mesh: TAILSCALE } },
    { title: "WireGuard on a LAN", settings: { kubernetes: { flannelBackend: "wireguard-native" } } },
    { title: "a stated MTU that fits", settings: { kubernetes: { ...CILIUM, cilium: { values: { MTU: 1400 } } } } },
    {
      title: "WireGuard in the mesh",
      settings: { mesh: TAILSCALE, kubernetes: { flannelBackend: "wireguard-native" } },
      findings: [
        "kubernetes: found an MTU of 1200 for pods · allowed at least 1228 · fix: remove kubernetes.flannelBackend: the mesh encrypts between sites already; or accept that HTTP/3 falls back",
      ],
    },
    {
      title: "a stated MTU that the mesh does not carry",
      settings: { mesh: TAILSCALE, kubernetes: { ...CILIUM, cilium: { values: { MTU: 1500 } } } },
      findings: [
        "kubernetes.cilium.values.MTU: found 1500 · allowed at most 1280, what tailscale carries · fix: remove it: the right one is set without it",
      ],
    },
    {
      title: "a stated MTU that is too small",
      settings: { kubernetes: { ...CILIUM, cilium: { values: { MTU: 1200 } } } },
      findings: [
        "kubernetes: found an MTU of 1150 for pods · allowed at least 1228 · fix: remove kubernetes.cilium.values.MTU, or accept that HTTP/3 falls back",
      ],
    },
  ],
  "public-port": [
    { title: "none" },
    { title: "a game's, and SSH's number as UDP", settings: opening("25565/tcp", "22/udp", "443/udp") },
    {
      title: "SSH, the API and the pod network",
      settings: opening("8472/udp", "22/tcp", "6443/tcp", "8080/tcp"),
      findings: [
        "sites.rack.pools.agent.machines.w.publicPorts: found 22/tcp, SSH · allowed ports of what the machine offers to the world · fix: remove it; access.from lets in who must reach SSH or the API",
        "sites.rack.pools.agent.machines.w.publicPorts: found 6443/tcp, the Kubernetes API · allowed ports of what the machine offers to the world · fix: remove it; access.from lets in who must reach SSH or the API",
        "sites.rack.pools.agent.machines.w.publicPorts: found 8472/udp, the pod network (VXLAN) · allowed ports of what the machine offers to the world · fix: remove it; access.from lets in who must reach SSH or the API",
      ],
    },
    {
      title: "etcd and the kubelet, with a mesh",
      settings: { ...opening("2379/tcp", "10250/tcp"), mesh: TAILSCALE },
      findings: [
        "sites.rack.pools.agent.machines.w.publicPorts: found 2379/tcp, etcd's clients · allowed ports of what the machine offers to the world · fix: remove it; whoever must reach it joins the mesh, or stands on the site's LAN",
        "sites.rack.pools.agent.machines.w.publicPorts: found 10250/tcp, the kubelet · allowed ports of what the machine offers to the world · fix: remove it; whoever must reach it joins the mesh, or stands on the site's LAN",
      ],
    },
  ],
  "tailscale-k3s-version": [
    { title: "no mesh", settings: { version: "v1.30.0+k3s1" } },
    { title: "another mesh", settings: { version: "v1.30.0+k3s1", mesh: NETBIRD } },
    { title: "no flannel", settings: { version: "v1.30.0+k3s1", mesh: TAILSCALE, kubernetes: CILIUM } },
    { title: "the first fixed release of a minor", settings: { version: "v1.34.9+k3s1", mesh: TAILSCALE } },
    { title: "a newer minor", settings: { version: "v1.37.0+k3s1", mesh: TAILSCALE } },
    ...["v1.36.1+k3s2", "v1.35.5+k3s1", "v1.34.8+k3s1", "v1.33.12+k3s1", "v1.32.20+k3s1"].map((version): Case => ({
      title: version,
      settings: { version, mesh: TAILSCALE, machines: [...SERVERS, AGENT] },
      findings: [
        `kubernetes.version: found ${version} · allowed with Tailscale, at least v1.33.13, v1.34.9, v1.35.6, v1.36.2 · fix: take a newer patch release of that minor version, or a newer one`,
      ],
    })),
  ],
};
