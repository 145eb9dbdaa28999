import { describe, expect, test } from "vitest";
import { parseSettings } from "../../stacks/settings.ts";
import { topologyOf } from "../../stacks/topology.ts";
import type { HiddenSenders } from "../../components/platform/topology.ts";
import { goodFixture } from "./settings-fixtures.ts";

const topology = (name: string, more: object = {}) => {
  const { settings, regions } = goodFixture(name);
  return topologyOf(parseSettings({ ...settings, ...more }, regions));
};

test("a site of Hetzner says where its servers may be, the preferred location first", () => {
  expect(topology("hetzner").sites).toEqual([{ name: "cloud", kind: "hetzner", locations: ["nbg1", "fsn1", "hel1"] }]);
  expect(topology("lima").sites.flatMap(({ locations }) => locations ?? [])).toEqual([]);
});

test("the issuer of cert-manager proves by DNS what its token is for", () => {
  const proven = (issuer?: object) =>
    topology("minimal", {
      platform: { "cert-manager": issuer === undefined ? {} : { issuer: { email: "ops@example.net", ...issuer } } },
    }).dnsProven;
  expect(topology("minimal").dnsProven).toBeUndefined();
  expect(proven()).toBeUndefined();
  expect(proven({})).toEqual([]);
  expect(proven({ zones: ["example.net"] })).toEqual([]);
  expect(proven({ cloudflareToken: "example" })).toBe("all");
  expect(proven({ cloudflareToken: "example", zones: ["example.net"] })).toEqual(["example.net"]);
});

/** A site, as far as its pools go. */
interface Pools {
  readonly pools: Readonly<Record<string, object>>;
}

describe("senders of requests are hidden from Traefik", () => {
  /** A site of Hetzner with one server, whose pool `web` takes requests. */
  const hidden = (cloud: object = {}, more: object = {}): readonly HiddenSenders[] => {
    const pool = (role: string, machines: object, open: object = {}) => ({ role, machines, ...open });
    const site = {
      provider: "hetzner",
      locations: ["fsn1"],
      lan: "10.30.0.0/16",
      access: { from: ["198.51.100.7/32"] },
      type: "cx33",
      pools: {
        control: pool("server", { "cloud-a": {} }),
        web: pool("agent", { "web-a": {}, "web-b": {} }, { ingress: true }),
      },
      ...cloud,
    };
    return topology("minimal", { sites: { cloud: site }, accept: { "single-server": "a test" }, ...more })
      .hiddenSenders;
  };
  const web = (behind: HiddenSenders["behind"]) => [{ pool: "cloud/web", behind }];
  const traefik = (settings: object) => ({ platform: { traefik: settings } });

  test("where the public address is on the server itself, unless Traefik is told of all of them", () => {
    expect(hidden()).toEqual(web("service-lb"));
    expect(hidden({}, traefik({ addresses: ["203.0.113.7"] }))).toEqual(web("service-lb"));
    expect(hidden({}, traefik({ addresses: ["203.0.113.7", "203.0.113.8"] }))).toEqual([]);
    expect(hidden({}, traefik({ place: { pool: "control" } }))).toEqual([]);
    expect(hidden({ publicIpv4: false, access: { from: ["2001:db8:1::/48"] } })).toEqual([]);
  });

  test("where a load balancer does not say who they are", () => {
    const balanced = (proxyProtocol: boolean) => hidden({ loadBalancer: { type: "lb11", proxyProtocol } });
    expect(balanced(false)).toEqual(web("load-balancer"));
    expect(balanced(true)).toEqual([]);
  });

  test("where the node's own address is that in the mesh, and requests arrive at another", () => {
    const { sites } = goodFixture("tailscale").settings as { sites: { rack: Pools; attic: Pools } };
    const open = ({ pools, ...site }: Pools): object => ({
      ...site,
      pools: Object.fromEntries(Object.entries(pools).map(([name, pool]) => [name, { ...pool, ingress: true }])),
    });
    const { hiddenSenders } = topology("tailscale", { sites: { rack: open(sites.rack), attic: open(sites.attic) } });
    expect(hiddenSenders).toEqual([{ pool: "attic/home", behind: "service-lb" }]);
  });

  test("not where ServiceLB has no part in it", () => {
    const kubernetes = { version: "v1.36.3+k3s1" };
    expect(hidden({}, { kubernetes: { ...kubernetes, config: { disable: ["servicelb"] } } })).toEqual([]);
  });

  test("not on Lightsail, where requests arrive at the node's own address", () => {
    const { pools, hiddenSenders } = topology("lightsail");
    expect(pools.some(({ ingress }) => ingress)).toBe(true);
    expect(hiddenSenders).toEqual([]);
  });
});
