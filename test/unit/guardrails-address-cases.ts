import { type Case, type MachineLine, regionOf, SERVERS } from "./guardrails-cases.ts";

const [a, b] = SERVERS as readonly [MachineLine, MachineLine, MachineLine];

function hostKey(): string {
  const [site] = regionOf().sites;
  return site?.provider === "existing" ? site.machines[0]!.ssh.hostKey : "";
}

/** Cases of the guardrail that watches over addresses. */
export const addressCases: Readonly<Record<string, readonly Case[]>> = {
  "duplicate-address": [
    { title: "one address each" },
    {
      title: "one SSH host behind two jump hosts",
      settings: {
        machines: [
          ["rack/server a 10.20.0.11", { sshAddress: "node", jump: { host: "one.example.net", hostKey: hostKey() } }],
          ["rack/agent w 10.20.0.12", { sshAddress: "node", jump: { host: "two.example.net", hostKey: hostKey() } }],
        ],
      },
    },
    {
      title: "one SSH host with two ports",
      settings: {
        machines: [
          ["rack/server a 10.20.0.11", { sshAddress: "nat.example.net", port: 2201 }],
          ["rack/agent w 10.20.0.12", { sshAddress: "nat.example.net", port: 2202 }],
        ],
      },
    },
    {
      title: "one address on two sites of a mesh that both keep their LAN to themselves",
      settings: {
        machines: [
          a,
          ["attic/agent d 10.20.1.11", { sshAddress: "attic.example.net" }],
          ["cellar/agent e 10.20.1.11", { sshAddress: "cellar.example.net" }],
        ],
        lans: { attic: "10.20.1.0/24", cellar: "10.20.1.0/24" },
        mesh: { provider: "tailscale" },
        siteSettings: { attic: { nodeAddresses: "mesh" }, cellar: { nodeAddresses: "mesh" } },
      },
    },
    {
      title: "a server's address on a site of a mesh that keeps its LAN to itself",
      settings: {
        machines: [a, ["attic/agent d 10.20.0.11", { sshAddress: "attic.example.net" }]],
        lans: { attic: "10.20.0.0/24" },
        mesh: { provider: "tailscale" },
        siteSettings: { attic: { nodeAddresses: "mesh" } },
      },
      findings: [
        "sites.rack.pools.server.machines.a: found address 10.20.0.11, which d has · allowed each address once, but for two sites that both have nodeAddresses: mesh · fix: give one of the two hosts another address: what is sent to d would never leave this one",
      ],
    },
    {
      title: "one address twice on a site of a mesh",
      settings: { machines: [a, ["rack/agent w 10.20.0.11"]], mesh: { provider: "tailscale" } },
      findings: [
        "sites.rack.pools.agent.machines.w: found address 10.20.0.11, which a has · allowed each address once · fix: correct one of the two, or remove the machine that is listed twice",
      ],
    },
    {
      title: "one address on two machines",
      settings: { machines: [a, b, ["rack/server c 10.20.0.11"]] },
      findings: [
        "sites.rack.pools.server.machines.c: found address 10.20.0.11, which a has · allowed each address once · fix: correct one of the two, or remove the machine that is listed twice",
      ],
    },
    {
      title: "one SSH server for two machines",
      settings: {
        machines: [
          ["rack/server a 10.20.0.11", { sshAddress: "nat.example.net" }],
          ["rack/agent w 10.20.0.12", { sshAddress: "nat.example.net" }],
        ],
      },
      findings: [
        "sites.rack.pools.agent.machines.w: found SSH at nat.example.net:22, where a is reached · allowed each SSH host and port once in a region · fix: correct sshAddress, port or jump of one of the two",
      ],
    },
    {
      title: "one SSH server behind one jump host",
      settings: {
        machines: [
          ["rack/server a 10.20.0.11", { sshAddress: "node", jump: { host: "one.example.net", hostKey: hostKey() } }],
          ["rack/agent w 10.20.0.12", { sshAddress: "node", jump: { host: "one.example.net", hostKey: hostKey() } }],
        ],
      },
      findings: [
        "sites.rack.pools.agent.machines.w: found SSH at node:22 through one.example.net:22, where a is reached · allowed each SSH host and port once in a region · fix: correct sshAddress, port or jump of one of the two",
      ],
    },
  ],
};
