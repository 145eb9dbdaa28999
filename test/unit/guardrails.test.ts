import { describe, expect, test } from "vitest";
import { guardrails } from "../../stacks/guardrails.ts";
import { addressCases } from "./guardrails-address-cases.ts";
import { cloudCases } from "./guardrails-cloud-cases.ts";
import { meshCases } from "./guardrails-mesh-cases.ts";
import { platformCases } from "./guardrails-platform-cases.ts";
import { roomCases } from "./guardrails-room-cases.ts";
import { reshapedCases } from "./guardrails-reshaped-cases.ts";
import { AGENT, type Case, deployedOf, type MachineLine, regionOf, SERVERS } from "./guardrails-cases.ts";

const [a, b, c] = SERVERS as readonly [MachineLine, MachineLine, MachineLine];
const renewed = (generation: number, ...lines: readonly MachineLine[]): MachineLine[] =>
  lines.map(([line, more]) => [line, { ...more, generation }]);
const LONG = "m".repeat(58);

const cases: Readonly<Record<string, readonly Case[]>> = {
  ...addressCases,
  ...cloudCases,
  ...meshCases,
  ...platformCases,
  ...roomCases,
  ...reshapedCases,
  "cidr-changed": [
    { title: "before the first update" },
    { title: "the ranges that are deployed", deployed: {} },
    {
      title: "stated as they follow from the id",
      settings: { regions: { tokyo: { id: 5, pods: "10.66.0.0/16", services: "10.67.0.0/16" } } },
      deployed: {},
    },
    {
      title: "another id",
      settings: { regions: { tokyo: { id: 5 } } },
      deployed: {},
      findings: [
        "regions.yaml.regions.tokyo.pods: found 10.74.0.0/16 · allowed 10.66.0.0/16, as deployed · fix: set regions.tokyo.pods: 10.66.0.0/16 in regions.yaml, or build a new region and move to it",
        "regions.yaml.regions.tokyo.services: found 10.75.0.0/16 · allowed 10.67.0.0/16, as deployed · fix: set regions.tokyo.services: 10.67.0.0/16 in regions.yaml, or build a new region and move to it",
      ],
    },
  ],
  "cidr-overlap": [
    { title: "derived ranges and LANs apart", settings: { machines: [...SERVERS, ["attic/agent d 192.168.1.5"]] } },
    {
      title: "a region's stated pods in another region's services",
      settings: { regions: { tokyo: { id: 1 }, mn: { id: 2, pods: "10.67.128.0/20" } } },
      findings: [
        "regions.yaml.regions.mn.pods: found 10.67.128.0/20 · allowed a range apart from regions.yaml.regions.tokyo.services 10.67.0.0/16 · fix: state another range in regions.yaml while that region is not deployed yet",
      ],
    },
    {
      title: "pods and services of one region",
      settings: { regions: { tokyo: { id: 1, pods: "10.66.0.0/15" } } },
      findings: [
        "regions.yaml.regions.tokyo.services: found 10.67.0.0/16 · allowed a range apart from regions.yaml.regions.tokyo.pods 10.66.0.0/15 · fix: state another range in regions.yaml while that region is not deployed yet",
      ],
    },
    {
      title: "pods in the mesh's range",
      settings: { regions: { tokyo: { id: 1, pods: "100.100.0.0/16" } } },
      findings: [
        "regions.yaml.regions.tokyo.pods: found 100.100.0.0/16 · allowed a range apart from the mesh's range 100.64.0.0/10 · fix: state another range in regions.yaml while that region is not deployed yet",
      ],
    },
    {
      title: "a LAN in another region's pods",
      settings: { machines: [["rack/server a 10.68.3.1"]], lans: { rack: "10.68.3.0/24" } },
      findings: [
        "sites.rack.lan: found 10.68.3.0/24 · allowed a range apart from regions.yaml.regions.mn.pods 10.68.0.0/16 · fix: renumber the LAN, or state other ranges in regions.yaml for a region that is not deployed yet",
      ],
    },
    {
      title: "a LAN around two ranges of this region",
      settings: {
        machines: [["rack/server a 10.64.3.1"]],
        lans: { rack: "10.64.0.0/14" },
        regions: { tokyo: { id: 1 } },
      },
      findings: [
        "sites.rack.lan: found 10.64.0.0/14 · allowed a range apart from regions.yaml.regions.tokyo.pods 10.66.0.0/16 · fix: renumber the LAN, or state other ranges in regions.yaml for a region that is not deployed yet",
        "sites.rack.lan: found 10.64.0.0/14 · allowed a range apart from regions.yaml.regions.tokyo.services 10.67.0.0/16 · fix: renumber the LAN, or state other ranges in regions.yaml for a region that is not deployed yet",
      ],
    },
    {
      title: "two sites with one LAN in a mesh, where it is lan-overlap's",
      settings: {
        machines: [a, ["attic/agent d 10.20.0.130"]],
        lans: { attic: "10.20.0.128/25" },
        mesh: { provider: "tailscale" },
      },
    },
    {
      title: "two sites with one LAN",
      settings: { machines: [a, ["attic/agent d 10.20.0.130"]], lans: { attic: "10.20.0.128/25" } },
      findings: [
        "sites.rack.lan: found 10.20.0.0/24 · allowed a range apart from sites.attic.lan 10.20.0.128/25 · fix: renumber the LAN, or state other ranges in regions.yaml for a region that is not deployed yet",
      ],
    },
  ],
  "even-servers": [
    { title: "three servers" },
    { title: "one server", settings: { machines: [a] } },
    {
      title: "two servers",
      settings: { machines: [a, b] },
      findings: ["sites: found 2 servers · allowed an odd number of servers · fix: run 3 servers, or 1"],
    },
    {
      title: "four servers",
      settings: { machines: [...SERVERS, ["rack/server d 10.20.0.14"]] },
      findings: ["sites: found 4 servers · allowed an odd number of servers · fix: run 5 servers, or 3"],
    },
  ],
  "name-rules": [
    { title: "short lower-case names" },
    { title: "the longest name", settings: { machines: [[`rack/server ${"m".repeat(57)} 10.20.0.11`]] } },
    {
      title: "upper case and underscores",
      settings: { machines: [["rack/server Rack_A 10.20.0.11"]] },
      findings: [
        'sites.rack.pools.server.machines.Rack_A: found the name "Rack_A" · allowed at most 63 of a-z, 0-9 and -, with a letter or digit at both ends · fix: rename it before it is deployed: a name is identity, and renaming a machine replaces it',
      ],
    },
    {
      title: "region and site",
      settings: { region: "Tokyo", machines: [["rack.1/server a 10.20.0.11"]], lans: { "rack.1": "10.20.0.0/24" } },
      findings: [
        'region: found the name "Tokyo" · allowed at most 63 of a-z, 0-9 and -, with a letter or digit at both ends · fix: rename it before it is deployed: a name is identity, and renaming a machine replaces it',
        'sites["rack.1"]: found the name "rack.1" · allowed at most 63 of a-z, 0-9 and -, with a letter or digit at both ends · fix: rename it before it is deployed: a name is identity, and renaming a machine replaces it',
      ],
    },
    {
      title: "region and machine together",
      settings: { machines: [[`rack/server ${LONG} 10.20.0.11`]] },
      findings: [
        `sites.rack.pools.server.machines.${LONG}: found 64 characters in "tokyo-${LONG}" · allowed at most 63 characters in <region>-<machine> · fix: shorten the machine's name to 57 characters`,
      ],
    },
  ],
  "node-limit": [
    { title: "room for 256" },
    {
      title: "exactly as many as there is room for",
      settings: { regions: { tokyo: { id: 1, pods: "10.66.0.0/22" } } },
    },
    {
      title: "one more than there is room for",
      settings: { regions: { tokyo: { id: 1, pods: "10.66.0.0/23" } }, machines: SERVERS },
      findings: [
        "sites: found 3 machines · allowed at most 2, as many /24 ranges as the pod range 10.66.0.0/23 holds · fix: remove machines, or give a region that is not deployed yet a wider pods range in regions.yaml",
      ],
    },
  ],
  "quorum-loss": [
    { title: "before the first update" },
    { title: "nothing changes", deployed: {} },
    { title: "one server replaced", settings: { machines: [...renewed(2, a), b, c, AGENT] }, deployed: {} },
    { title: "one server removed", settings: { machines: [a, b, AGENT] }, deployed: {} },
    {
      title: "one server with another address",
      settings: { machines: [["rack/server a 10.20.0.99"], b, c, AGENT] },
      deployed: {},
    },
    {
      title: "one server turned agent",
      settings: { machines: [a, b, ["rack/agent c 10.20.0.13"], AGENT] },
      deployed: {},
    },
    {
      title: "one agent turned server",
      settings: { machines: [...SERVERS, ["rack/server w 10.20.0.21"]] },
      deployed: {},
    },
    {
      title: "agents replaced and removed",
      settings: { machines: [...SERVERS, ...renewed(2, AGENT)] },
      deployed: { machines: [...SERVERS, AGENT, ["rack/agent x 10.20.0.22"]] },
    },
    { title: "servers added", deployed: { machines: [a] } },
    { title: "one of two servers removed", settings: { machines: [a] }, deployed: { machines: [a, b] } },
    {
      title: "two servers replaced",
      settings: { machines: [...renewed(2, a, b), c, AGENT] },
      deployed: {},
      findings: [
        "sites: found 2 servers replaced, removed or restarted at once: a (generation 1 → 2), b (generation 1 → 2) · allowed one server replaced, removed, restarted or turned into another role per update · fix: keep the change of a and undo the others; make them one update each",
      ],
    },
    {
      title: "one replaced, one removed",
      settings: { machines: [a, ...renewed(2, b), AGENT] },
      deployed: {},
      findings: [
        "sites: found 2 servers replaced, removed or restarted at once: b (generation 1 → 2), c (removed) · allowed one server replaced, removed, restarted or turned into another role per update · fix: keep the change of b and undo the others; make them one update each",
      ],
    },
    {
      title: "one renamed, one with another address",
      settings: { machines: [["rack/server a 10.20.0.99"], b, ["rack/server d 10.20.0.13"], AGENT] },
      deployed: {},
      findings: [
        "sites: found 2 servers replaced, removed or restarted at once: a (address 10.20.0.11 → 10.20.0.99), c (removed) · allowed one server replaced, removed, restarted or turned into another role per update · fix: keep the change of a and undo the others; make them one update each",
      ],
    },
    {
      title: "a server and an agent that change places",
      settings: { machines: [a, b, ["rack/agent c 10.20.0.13"], ["rack/server w 10.20.0.21"]] },
      deployed: {},
      findings: [
        "sites: found 2 servers replaced, removed or restarted at once: c (server → agent), w (agent → server) · allowed one server replaced, removed, restarted or turned into another role per update · fix: keep the change of c and undo the others; make them one update each",
      ],
    },
    {
      title: "the only server replaced",
      settings: { machines: [...renewed(2, a), AGENT] },
      deployed: { machines: [a, AGENT] },
      findings: [
        "sites: found no deployed server left as it is: a (generation 1 → 2) · allowed an update that keeps a server, because the cluster's data is on its servers only · fix: undo this, add servers in one update, then replace or remove the old one in the next",
      ],
    },
    {
      title: "the only server given up for three others",
      settings: { machines: [["rack/server x 10.20.0.31"], b, c] },
      deployed: { machines: [a, AGENT] },
      findings: [
        "sites: found no deployed server left as it is: a (removed) · allowed an update that keeps a server, because the cluster's data is on its servers only · fix: undo this, add servers in one update, then replace or remove the old one in the next",
      ],
    },
    {
      title: "all three servers replaced",
      settings: { machines: renewed(2, ...SERVERS) },
      deployed: { machines: SERVERS },
      findings: [
        "sites: found no deployed server left as it is: a (generation 1 → 2), b (generation 1 → 2), c (generation 1 → 2) · allowed an update that keeps a server, because the cluster's data is on its servers only · fix: undo this, add servers in one update, then replace or remove the old one in the next",
      ],
    },
  ],
  "region-renamed": [
    { title: "before the first update" },
    { title: "the same region", deployed: {} },
    {
      title: "another region in the same stack",
      settings: { region: "osaka" },
      deployed: {},
      findings: [
        'region: found "osaka" · allowed "tokyo", as deployed by this stack · fix: set hybrid-k3s:region back to tokyo, or make a new stack for osaka',
      ],
    },
  ],
  "servers-span-sites": [
    {
      title: "servers on one site, agents on another",
      settings: { machines: [...SERVERS, ["attic/agent d 192.168.1.5"]] },
    },
    {
      title: "a server on each site",
      settings: { machines: [a, b, ["attic/server d 192.168.1.5"]] },
      findings: [
        "sites: found servers on attic, rack · allowed all servers of a region on one site · fix: keep the servers of one site and make the others agents",
      ],
    },
  ],
  "single-server": [
    { title: "three servers" },
    {
      title: "one server",
      settings: { machines: [a, AGENT] },
      findings: [
        "sites: found 1 server · allowed 3 servers or more where the cluster matters · fix: add two servers on the same site",
      ],
    },
  ],
  "address-changed": [
    { title: "before the first update" },
    { title: "the addresses that are deployed", deployed: {} },
    {
      title: "another address as another generation",
      settings: { machines: [["rack/server a 10.20.0.91", { generation: 2 }], ...SERVERS.slice(1)] },
      deployed: {},
    },
    {
      title: "another address of an agent",
      settings: { machines: [...SERVERS, ["rack/agent w 10.20.0.99"]] },
      deployed: { machines: [...SERVERS, AGENT] },
    },
    {
      title: "another address of a server",
      settings: { machines: [["rack/server a 10.20.0.91"], ...SERVERS.slice(1)] },
      deployed: {},
      findings: [
        "sites.rack.pools.server.machines.a.address: found 10.20.0.91 · allowed 10.20.0.11, where this generation joined · fix: raise generation to 2 in the same change: the server leaves and joins again",
      ],
    },
  ],
  "version-downgrade": [
    { title: "before the first update" },
    { title: "the same release", deployed: {} },
    { title: "a newer build", settings: { version: "v1.36.3+k3s10" }, deployed: { version: "v1.36.3+k3s2" } },
    { title: "from a candidate to its release", deployed: { version: "v1.36.3-rc1+k3s1" } },
    {
      title: "an older patch",
      settings: { version: "v1.36.2+k3s9" },
      deployed: {},
      findings: [
        "kubernetes.version: found v1.36.2+k3s9 · allowed the deployed v1.36.3+k3s1 or a newer release · fix: set kubernetes.version back to v1.36.3+k3s1; to go back further, restore an etcd snapshot",
      ],
    },
    {
      title: "an older minor",
      settings: { version: "v1.35.9+k3s1" },
      deployed: {},
      findings: [
        "kubernetes.version: found v1.35.9+k3s1 · allowed the deployed v1.36.3+k3s1 or a newer release · fix: set kubernetes.version back to v1.36.3+k3s1; to go back further, restore an etcd snapshot",
      ],
    },
  ],
  "version-skip": [
    { title: "before the first update" },
    { title: "one minor on", deployed: { version: "v1.35.0+k3s1" } },
    { title: "back", deployed: { version: "v1.38.0+k3s1" } },
    {
      title: "two minors on",
      deployed: { version: "v1.34.9+k3s1" },
      findings: [
        "kubernetes.version: found v1.36.3+k3s1 · allowed up to v1.35, one minor after the deployed v1.34.9+k3s1 · fix: set the newest k3s release of v1.35, update, then go on",
      ],
    },
  ],
};

describe.each(guardrails.map((guardrail) => [guardrail.id, guardrail] as const))("%s", (id, guardrail) => {
  const own = cases[id] ?? [];

  test.each(own.map((entry) => [entry.title, entry] as const))("%s", (_, { settings, deployed, findings = [] }) => {
    expect(guardrail.check(regionOf(settings), deployed && deployedOf(deployed))).toEqual(findings);
  });

  test("has a case on each side", () => {
    expect(own.some(({ findings }) => findings !== undefined)).toBe(true);
    expect(own.some(({ findings }) => findings === undefined)).toBe(true);
  });

  test("gives its reason on one line", () => {
    expect(guardrail.reason).toMatch(/^[^\n|]{20,110}$/);
  });
});

test("every guardrail has an id of its own, in order", () => {
  const ids = guardrails.map(({ id }) => id);
  expect([...new Set(ids)].sort()).toEqual(ids);
  expect(Object.keys(cases).sort()).toEqual(ids);
});
