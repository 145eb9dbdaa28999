import { type Case, SERVERS, type Wanted } from "./guardrails-cases.ts";

const poolsOf = (machines: Readonly<Record<string, object>>) => {
  const pools: Record<string, { role: string; machines: Record<string, object> }> = {};
  for (const [line, more] of Object.entries(machines)) {
    const [role = "", name = ""] = line.split(" ");
    (pools[role] ??= { role, machines: {} }).machines[name] = more;
  }
  return pools;
};

/** A region of Lightsail instances, as `role name`. */
const lightsail = (machines: Readonly<Record<string, object>>, from = ["198.51.100.7/32"]): Wanted => {
  const zoned = Object.entries(machines).map(([line, more]) => [line, { zone: "a", ...more }] as const);
  const pools = poolsOf(Object.fromEntries(zoned));
  const access = from.length === 0 ? {} : { access: { from } };
  return { machines: [], sites: { cloud: { provider: "lightsail", awsRegion: "ap-northeast-1", ...access, pools } } };
};

/** A region of Lima VMs, as `role name`. */
const lima = (machines: Readonly<Record<string, object>>, more = {}): Wanted => ({
  machines: [],
  sites: { mac: { provider: "lima", ...more, pools: poolsOf(machines) } },
});

/** A server of Hetzner Cloud. */
const hetzner = (publicIpv4: boolean, from: readonly string[]): Wanted => ({
  machines: [],
  sites: {
    cloud: {
      provider: "hetzner",
      locations: ["fsn1"],
      lan: "10.30.0.0/24",
      ...(from.length === 0 ? {} : { access: { from } }),
      publicIpv4,
      pools: { control: { role: "server", type: "cx33", machines: { s: {} } } },
    },
  },
});

const MESH = { provider: "tailscale" };
const WALLED = { hostFirewall: { enabled: true } };
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKYZ+mCFiHfLQIy9ShG8JGIsOxniBxiD+ZhDYnZYwKiM";

/** One server on the LAN 10.20.0.0/24 that stands already, reached as `more` says, behind a firewall of its own. */
const walled = (more: object, wanted: Wanted = {}): Wanted => ({
  ...WALLED,
  machines: [["rack/server a 10.20.0.11", { ...more }]],
  ...wanted,
});

/** Another computer with Lima. */
const IMAC = {
  address: "imac.example.net",
  user: "ops",
  hostKey: KEY,
};

/** Cases of the guardrails that watch over machines we make, and over several sites. */
export const cloudCases: Readonly<Record<string, readonly Case[]>> = {
  "bundle-too-small": [
    { title: "hosts that stand already" },
    {
      title: "bundles that carry their roles",
      settings: lightsail({ "server s": { bundle: "medium_3_0" }, "agent w": { bundle: "small_3_0" } }),
    },
    {
      title: "a server in 2 GiB, and an agent in half of one",
      settings: lightsail({ "server s": { bundle: "small_3_0" }, "agent w": { bundle: "nano_3_0" } }),
      findings: [
        "sites.cloud.pools.server.machines.s.bundle: found small_3_0: 2 GiB, and 40 % of a CPU for ever · allowed at least 4 GiB and 40 % for role server · fix: take medium_3_0 or larger; large_3_0 where agents or releases are many",
        "sites.cloud.pools.agent.machines.w.bundle: found nano_3_0: 0.5 GiB, and 10 % of a CPU for ever · allowed at least 1 GiB and 20 % for role agent · fix: take small_3_0 or larger",
      ],
    },
  ],
  "machine-moved": [
    { title: "before the first update" },
    {
      title: "a machine that comes, and one that goes",
      settings: { machines: [...SERVERS, ["attic/agent d 192.168.1.5"]] },
      deployed: {},
    },
    {
      title: "an agent on another site",
      settings: { machines: [...SERVERS, ["attic/agent w 192.168.1.5"]] },
      deployed: {},
      findings: [
        "sites.attic.pools.agent.machines.w: found site attic, existing · allowed rack, existing, where w is deployed · fix: give the machines of the new site names of their own: they join before the old ones leave",
      ],
    },
  ],
  "ipv4-only-access": [
    { title: "hosts that stand already" },
    { title: "a public IPv4 address", settings: hetzner(true, ["198.51.100.7/32"]) },
    { title: "none, and an IPv6 range that may come in", settings: hetzner(false, ["2001:db8:1::/64"]) },
    {
      title: "none, in a mesh, where SSH comes from outside all the same",
      settings: { ...hetzner(false, ["198.51.100.7/32"]), mesh: MESH },
      findings: [
        "sites.cloud.access.from: found IPv4 ranges only (198.51.100.7/32), and publicIpv4 false for s · allowed an IPv6 range among them · fix: add this computer's IPv6 range, such as 2001:db8:1::/64, or set publicIpv4: true",
      ],
    },
    { title: "none, in a mesh that SSH comes through", settings: { ...hetzner(false, []), mesh: MESH } },
    {
      title: "none, and IPv4 ranges only",
      settings: hetzner(false, ["198.51.100.7/32"]),
      findings: [
        "sites.cloud.access.from: found IPv4 ranges only (198.51.100.7/32), and publicIpv4 false for s · allowed an IPv6 range among them · fix: add this computer's IPv6 range, such as 2001:db8:1::/64, or set publicIpv4: true",
      ],
    },
  ],
  "api-out-of-reach": [
    { title: "servers on this computer's VMs", settings: lima({ "server s": {} }) },
    {
      title: "agents on another computer's",
      settings: { ...lima({ "agent w": {} }, { host: IMAC }), machines: SERVERS },
    },
    {
      title: "servers on another computer's, in a mesh: no client of it asks for the API there",
      settings: { ...lima({ "server s": {} }, { host: IMAC }), mesh: MESH },
      findings: [
        "sites.mac: found servers on another computer's VMs: s · allowed agents there, or kubernetes.endpoint with a name or address that leads to their port 6443 · fix: forward port 6443 of imac.example.net to them and set kubernetes.endpoint, or make them agents",
      ],
    },
    {
      title: "servers on another computer's",
      settings: lima({ "server s": {}, "agent w": {} }, { host: IMAC }),
      findings: [
        "sites.mac: found servers on another computer's VMs: s · allowed agents there, or kubernetes.endpoint with a name or address that leads to their port 6443 · fix: forward port 6443 of imac.example.net to them and set kubernetes.endpoint, or make them agents",
      ],
    },
  ],
  "no-way-in": [
    { title: "hosts that stand already, without a firewall of ours" },
    {
      title: "the same with one, reached from who knows where",
      settings: WALLED,
      findings: [
        'sites.rack.access: found nothing, with hostFirewall.enabled, and no word of where SSH to a, b, c, w comes from · allowed the ranges that it comes from, as the hosts see it · fix: write the address at which the hosts see this computer, or the jump host; where it is on their LAN: access: { from: ["10.20.0.0/24"] }',
      ],
    },
    {
      title: "a range that is named",
      settings: walled({}, { siteSettings: { rack: { access: { from: ["192.0.2.7/32"] } } } }),
    },
    { title: "a jump host on their LAN", settings: walled({ jump: { host: "10.20.0.1", hostKey: KEY } }) },
    {
      title: "a jump host elsewhere, of which nobody knows where it comes from",
      settings: walled({ jump: { host: "gate.example.net", hostKey: KEY } }),
      findings: [
        'sites.rack.access: found nothing, with hostFirewall.enabled, and no word of where SSH to a comes from · allowed the ranges that it comes from, as the hosts see it · fix: write the address at which the hosts see this computer, or the jump host; where it is on their LAN: access: { from: ["10.20.0.0/24"] }',
      ],
    },
    {
      title: "a machine of another site in between, to a private address",
      settings: walled({ jump: { machine: "s" } }, { sites: lightsail({ "agent s": { bundle: "small_3_0" } }).sites! }),
    },
    {
      title: "a machine of another site in between, to a public name",
      settings: walled(
        { jump: { machine: "s" }, sshAddress: "rack-a.example.net" },
        { sites: lightsail({ "agent s": { bundle: "small_3_0" } }).sites! },
      ),
      findings: [
        'sites.rack.access: found nothing, with hostFirewall.enabled, and no word of where SSH to a comes from · allowed the ranges that it comes from, as the hosts see it · fix: write the address at which the hosts see this computer, or the jump host; where it is on their LAN: access: { from: ["10.20.0.0/24"] }',
      ],
    },
    {
      title: "a name in the mesh, which the host joins over SSH",
      settings: walled({ sshAddress: "rack-a.example.ts.net" }, { mesh: MESH }),
      findings: [
        'sites.rack.access: found nothing, with hostFirewall.enabled, and no word of where SSH to a comes from · allowed the ranges that it comes from, as the hosts see it · fix: write the address at which the hosts see this computer, or the jump host; where it is on their LAN: access: { from: ["10.20.0.0/24"] }',
      ],
    },
    {
      title: "an address in a mesh that is not the region's",
      settings: walled({ sshAddress: "100.101.102.103" }),
      findings: [
        'sites.rack.access: found nothing, with hostFirewall.enabled, and no word of where SSH to a comes from · allowed the ranges that it comes from, as the hosts see it · fix: write the address at which the hosts see this computer, or the jump host; where it is on their LAN: access: { from: ["10.20.0.0/24"] }',
      ],
    },
    { title: "VMs, which their host always reaches", settings: { ...lima({ "server s": {} }), ...WALLED } },
    { title: "an address that may come in", settings: lightsail({ "server s": { bundle: "medium_3_0" } }) },
    {
      title: "nobody may, in a mesh",
      settings: { ...lightsail({ "server s": { bundle: "medium_3_0" } }, []), mesh: MESH },
    },
    {
      title: "nobody may",
      settings: lightsail({ "server s": { bundle: "medium_3_0" } }, []),
      findings: [
        'sites.cloud.access: found nothing · allowed the ranges that SSH and the API are reached from, while mesh.provider is none · fix: write the address of this computer as the internet sees it: access: { from: ["198.51.100.7/32"] }',
      ],
    },
  ],
  "routed-sites": [
    { title: "one site" },
    { title: "two sites in a mesh", settings: { machines: [...SERVERS, ["attic/agent d 192.168.1.5"]], mesh: MESH } },
    {
      title: "two sites",
      settings: { machines: [...SERVERS, ["attic/agent d 192.168.1.5"]] },
      findings: [
        "mesh.provider: found none, with 2 sites · allowed one site, or routes between the private ranges of all: sites.attic 192.168.1.0/24, sites.rack 10.20.0.0/24 · fix: set those routes up and accept this, or keep the machines of one site",
      ],
    },
  ],
  "resize-together": [
    { title: "before the first update", settings: lima({ "server s": {} }) },
    {
      title: "one machine",
      settings: lima({ "server s": {}, "agent w": { memory: "8GiB" }, "agent x": {} }),
      deployed: lima({ "server s": {}, "agent w": {}, "agent x": {} }),
    },
    {
      title: "two machines, one of them new from scratch",
      settings: lima({ "server s": {}, "agent w": { cpus: 4 }, "agent x": { cpus: 4, generation: 2 } }),
      deployed: lima({ "server s": {}, "agent w": {}, "agent x": {} }),
    },
    {
      title: "two machines",
      settings: lima({ "server s": {}, "agent w": { cpus: 4 }, "agent x": { memory: "8GiB" } }),
      deployed: lima({ "server s": {}, "agent w": {}, "agent x": {} }),
      findings: [
        "sites: found 2 machines of another size: w, x · allowed one machine of another size per update · fix: change w alone first, then the next",
      ],
    },
  ],
  "user-v2-servers": [
    { title: "two servers with addresses of their own", settings: lima({ "server s": {}, "server t": {} }) },
    { title: "one server", settings: lima({ "server s": {}, "agent w": {} }, { network: "user-v2" }) },
    {
      title: "two servers, in a mesh, where their API is asked at the host all the same",
      settings: { ...lima({ "server s": {}, "server t": {} }, { network: "user-v2" }), mesh: MESH },
      findings: [
        "sites.mac.network: found user-v2 with 2 servers · allowed one server on user-v2, or network: shared · fix: write network: shared (it needs socket_vmnet on the host), or keep one server",
      ],
    },
    {
      title: "two servers",
      settings: lima({ "server s": {}, "server t": {} }, { network: "user-v2" }),
      findings: [
        "sites.mac.network: found user-v2 with 2 servers · allowed one server on user-v2, or network: shared · fix: write network: shared (it needs socket_vmnet on the host), or keep one server",
      ],
    },
  ],
};
