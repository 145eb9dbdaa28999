import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RegionSettings } from "../../stacks/region-settings.ts";
import { parseSettings, SettingsError } from "../../stacks/settings.ts";
import { RULES } from "../../stacks/settings/rules.ts";
import { readVersions } from "../../stacks/versions.ts";
import { decrypted } from "../support/stack-file.ts";
import { badFixtures, expectedLines, goodFixture, mergePatch, problemsOf } from "./settings-fixtures.ts";

/** The machines of all sites whose hosts stand already. */
const existingIn = ({ sites }: Pick<RegionSettings, "sites">) =>
  sites.flatMap((site) => (site.provider === "existing" ? site.machines : []));

const readRoot = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
const parsed = (name: string) => {
  const { settings, regions } = goodFixture(name);
  return parseSettings(settings, regions);
};

function stackSettings(stack: string): Record<string, unknown> {
  const { values } = decrypted(stack);
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key.replace("hybrid-k3s:", ""), value]));
}

/** The same tree with the keys of all its objects in reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

describe("settings with a mistake", () => {
  test.each(badFixtures().map((fixture) => [fixture.name, fixture] as const))("%s", (name, fixture) => {
    const problems = problemsOf(() => parseSettings(fixture.settings, fixture.regions, fixture.secret));
    expect(problems).toEqual(expectedLines(name));
  });

  test("every rule has a fixture that breaks it", () => {
    const lines = badFixtures().flatMap(({ name }) => expectedLines(name));
    const unbroken = Object.entries(RULES).filter(
      ([, { allowed }]) => !lines.some((line) => line.includes(` · allowed ${allowed} · `)),
    );
    expect(unbroken.map(([name]) => name)).toEqual([]);
  });

  test("no line shows a value of a setting that is secret, nor a private key, nor a password", () => {
    const lines = badFixtures().flatMap(({ name }) => expectedLines(name));
    expect(lines.filter((line) => /hunter2|b3BlbnNzaC1rZXk/.test(line))).toEqual([]);
  });

  test("the error counts its problems and lists one line each", () => {
    expect(new SettingsError(["a: found 1"]).message).toBe("1 problem in the settings:\n  a: found 1");
    expect(new SettingsError(["a: found 1", "b: found 2"]).message).toBe(
      "2 problems in the settings:\n  a: found 1\n  b: found 2",
    );
  });

  test("whatever stands in the settings, the answer is settings or a list of problems", () => {
    const base = goodFixture("everything");
    // Read once: parsing the file takes longer than what is tried here.
    const versions = readVersions();
    const read = (settings: Record<string, unknown>, regions: unknown) =>
      problemsOf(() => parseSettings(settings, regions, new Set(), versions));
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(...Object.keys(base.settings)), (value, key) => {
        expect(() => read({ ...base.settings, [key]: value }, base.regions)).not.toThrow();
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        expect(() => read(base.settings, value)).not.toThrow();
      }),
    );
  });
});

describe("settings that are right", () => {
  test("the least settings get all defaults", () => {
    expect(parsed("minimal")).toMatchObject({
      region: "tokyo",
      plan: { name: "tokyo", id: 1, pods: "10.66.0.0/16", services: "10.67.0.0/16" },
      regions: [{ name: "mn" }, { name: "tokyo" }],
      kubernetes: {
        version: "v1.36.3+k3s1",
        cni: "flannel",
        tlsSans: [],
        parallelism: 5,
        hardening: { enabled: true, podSecurity: "restricted", exemptNamespaces: [] },
        config: {},
        kubeletArguments: [],
        drainSeconds: 300,
        connectSeconds: 300,
      },
      mesh: { provider: "none" },
      platform: {},
      accept: {},
      sites: [
        {
          name: "rack",
          provider: "existing",
          lan: "10.20.0.0/24",
          machines: [
            {
              name: "rack-a",
              role: "server",
              site: "rack",
              pool: "control",
              zone: "rack",
              generation: 1,
              labels: {},
              taints: [],
              address: "10.20.0.11",
              ssh: { host: "10.20.0.11", port: 22, user: "root" },
            },
          ],
        },
      ],
    });
  });

  test("settings that say nothing leave no key behind", () => {
    const { kubernetes, sites, platform } = parsed("minimal");
    expect(Object.keys(kubernetes).filter((key) => ["endpoint", "mirror", "registries"].includes(key))).toEqual([]);
    expect(Object.keys(platform)).toEqual([]);
    expect(Object.keys(existingIn({ sites })[0]!.ssh)).not.toContain("jump");
    expect(Object.keys(sites[0]!)).not.toContain("jump");
  });

  test("durations become seconds, sets are sorted and listed once, stated ranges stand", () => {
    const { kubernetes, plan } = parsed("everything");
    expect(kubernetes).toMatchObject({ drainSeconds: 5400, connectSeconds: 90 });
    expect(kubernetes.tlsSans).toEqual(["203.0.113.7", "api.example.net"]);
    expect(kubernetes.hardening.exemptNamespaces).toEqual(["ingress", "storage"]);
    expect(kubernetes.registries).toEqual({
      mirrors: { "docker.io": { endpoint: ["https://mirror.example.net", "https://second.example.net"] } },
    });
    expect(plan).toEqual({ name: "tokyo", id: 63, pods: "10.200.0.0/18", services: "10.201.0.0/20" });
  });

  test("a machine's labels add to its pool's, everything else replaces what pool and site say", () => {
    const machines = existingIn(parsed("everything"));
    const [attic, rackA, rackB, worker] = machines;
    expect(machines.map(({ name }) => name)).toEqual(["attic", "rack-a", "rack-b", "worker"]);
    expect(rackB).toMatchObject({
      labels: { disk: "nvme", "example.com/row": "7", tier: "control" },
      taints: [],
      zone: "row-7",
      generation: 3,
      ssh: { host: "rack-b.example.net", port: 22, user: "root" },
    });
    expect(rackB!.ssh.jump).toBeUndefined();
    expect(rackA).toMatchObject({
      labels: { disk: "ssd", tier: "control" },
      taints: [
        { key: "critical", value: "", effect: "NoExecute" },
        { key: "dedicated", value: "control", effect: "NoSchedule" },
      ],
      zone: "hall-2",
      ssh: { user: "admin", port: 2222, jump: { host: "bastion.example.net", user: "jump", port: 2200 } },
    });
    expect(worker).toMatchObject({
      zone: "hall-3",
      ssh: { user: "ops", port: 2022, jump: { host: "203.0.113.9", user: "root", port: 22 } },
    });
    expect(attic).toMatchObject({ zone: "attic", ssh: { user: "root", port: 22 } });
  });

  test("host keys lose their comment", () => {
    const [, rackA] = existingIn(parsed("everything"));
    expect(rackA!.ssh.hostKey.split(" ")).toHaveLength(2);
    expect((rackA!.ssh.jump as { hostKey: string }).hostKey.split(" ")).toHaveLength(2);
  });

  test("the order of keys in the file means nothing", () => {
    for (const name of ["minimal", "everything"]) {
      const { settings, regions } = goodFixture(name);
      const turned = parseSettings(reversed(settings) as Record<string, unknown>, reversed(regions));
      expect(JSON.stringify(turned)).toBe(JSON.stringify(parsed(name)));
    }
  });

  test("nothing in the result can be changed", () => {
    const open: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== "object" || value === null) return;
      if (!Object.isFrozen(value)) open.push(path);
      for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
    };
    visit(parsed("everything"), "settings");
    visit(parsed("minimal"), "settings");
    expect(open).toEqual([]);
  });

  test("the settings that were handed in stay as they are", () => {
    const { settings, regions } = goodFixture("everything");
    const before = JSON.stringify(settings);
    parseSettings(settings, regions);
    expect(JSON.stringify(settings)).toBe(before);
    expect(() => parseSettings(settings, regions)).not.toThrow();
  });

  test("of hosts that stand already let in as many ranges as are stated, for none of them is in a first script", () => {
    const { settings, regions } = goodFixture("minimal");
    const from = Array.from({ length: 100 }, (_, index) => `2001:db8::${(index + 1).toString(16)}/128`);
    const patched = mergePatch(settings, { sites: { rack: { access: { from } } } }) as Record<string, unknown>;
    expect(parseSettings(patched, regions).sites[0]?.accessFrom).toHaveLength(100);
  });

  test("of a Hetzner site: what is nearest to a machine counts", () => {
    const [site] = parsed("hetzner").sites;
    expect(site).toMatchObject({
      provider: "hetzner",
      networkZone: "eu-central",
      accessFrom: ["198.51.100.7/32", "2001:db8:1::/48"],
      apiEndpoint: "http://127.0.0.1:8080/v1",
    });
    const told = (site?.provider === "hetzner" ? site.machines : []).map((machine) => [
      ...[machine.name, machine.type, machine.image, machine.locations.join(" "), machine.volumeGiB],
      ...[machine.publicIpv4, machine.ingress, machine.zone, machine.generation],
    ]);
    expect(told).toEqual([
      ["cloud-a", "cx33", "debian-13", "nbg1 fsn1", 10, false, false, "cloud", 1],
      ["cloud-b", "ccx13", "debian-13", "nbg1 fsn1", 1024, false, false, "cloud", 2],
      ["cloud-c", "cx33", "ubuntu-24.04", "hel1", 10, false, false, "cloud", 1],
      ["web-a", "cax11", "debian-12", "hel1 fsn1", 20, true, true, "cloud", 1],
    ]);
  });

  test("of a tailnet: everything stated, Headscale in place of Tailscale, and what machines do for it", () => {
    const { mesh, hostFirewall, kubernetes, sites } = parsed("tailscale");
    expect(mesh).toEqual({
      provider: "tailscale",
      tailnet: "example.ts.net",
      tag: "tag:edge",
      headscaleUrl: "https://headscale.example.net",
      version: "1.100.0",
      packages: "https://mirror.example.net/tailscale",
      port: 41642,
      policy: "external",
      operators: ["group:ops", "you@example.com"],
      keyLifetimeSeconds: 5400,
    });
    expect(hostFirewall).toEqual({ enabled: false });
    expect(kubernetes).toMatchObject({ cni: "flannel", flannelBackend: "wireguard-native" });
    expect(sites.map(({ name, nodeAddresses }) => [name, nodeAddresses])).toEqual([
      ["attic", "mesh"],
      ["rack", "lan"],
    ]);
    expect(existingIn({ sites }).map(({ name, relay, publicPorts }) => [name, relay, publicPorts])).toEqual([
      ["attic", undefined, undefined],
      ["rack-a", true, ["443/tcp", "443/udp", "34197/udp"]],
      ["rack-b", false, []],
    ]);
  });

  test("of a NetBird network with Cilium: everything stated", () => {
    const { mesh, hostFirewall, kubernetes } = parsed("netbird");
    expect(mesh).toEqual({
      provider: "netbird",
      url: "https://netbird.example.net",
      group: "edge",
      operators: ["workstations"],
      version: "0.76.0",
      packages: "file:///srv/netbird",
      port: 51830,
      keyLifetimeSeconds: 1800,
    });
    expect(hostFirewall).toEqual({ enabled: true });
    expect(kubernetes.cilium).toEqual({
      version: "1.19.7",
      kubeProxyReplacement: true,
      hubble: true,
      loadBalancerPool: [
        { start: "10.20.0.200", stop: "10.20.0.220" },
        { start: "10.20.0.224", stop: "10.20.0.239" },
      ],
      values: { debug: { enabled: true } },
    });
  });

  test("of a mesh and of Cilium get what follows from the region's name and from versions.yaml", () => {
    const least = (mesh: Record<string, unknown>) => {
      const { settings, regions } = goodFixture("minimal");
      const kubernetes = { version: "v1.36.3+k3s1", cni: "cilium" };
      return parseSettings({ ...settings, kubernetes, mesh }, regions, new Set(), {
        ...readVersions(),
        mesh: { tailscale: "1.2.3", netbird: "4.5.6" },
        cilium: { version: "7.8.9", repository: "r", chart: "c", sha256: "", crds: [] },
      });
    };
    const tailscale = least({ provider: "tailscale" });
    expect(tailscale.mesh).toEqual({
      provider: "tailscale",
      tailnet: "-",
      tag: "tag:k3s-tokyo",
      version: "1.2.3",
      packages: "https://pkgs.tailscale.com/stable",
      port: 41641,
      policy: "merge",
      operators: ["autogroup:admin"],
      keyLifetimeSeconds: 3600,
    });
    expect(tailscale.hostFirewall).toEqual({ enabled: true });
    expect(tailscale.kubernetes.cilium).toEqual({
      version: "7.8.9",
      kubeProxyReplacement: true,
      hubble: false,
      loadBalancerPool: [],
      values: {},
    });
    // The relay's port, where no machine relays.
    expect(least({ provider: "tailscale", port: 40_000 }).mesh).toMatchObject({ port: 40_000 });
    expect(least({ provider: "netbird", operators: ["ops"] }).mesh).toMatchObject({
      url: "https://api.netbird.io",
      group: "k3s-tokyo",
      version: "4.5.6",
      port: 51820,
    });
    expect(parsed("minimal").hostFirewall).toEqual({ enabled: false });
    expect(parsed("minimal").kubernetes).not.toHaveProperty("cilium");
  });

  test("keep no credential of the mesh", () => {
    for (const name of ["tailscale", "netbird"]) expect(JSON.stringify(parsed(name))).not.toContain("hunter2");
  });

  test("regions.yaml may be given as text", () => {
    const { settings } = goodFixture("minimal");
    expect(parseSettings(settings, "regions: { tokyo: { id: 4 } }").plan.pods).toBe("10.72.0.0/16");
  });
});

describe("the stacks of this repository", () => {
  test.each(["dev", "fsn1", "prod"])("Pulumi.%s.yaml parses", (stack) => {
    expect(problemsOf(() => parseSettings(stackSettings(stack), readRoot("regions.yaml")))).toEqual([]);
  });

  test("production is three servers in Tokyo and four agents in Sapporo", () => {
    const { sites, platform } = parseSettings(stackSettings("prod"), readRoot("regions.yaml"));
    expect(
      sites.map(({ name, machines }) => [name, machines.map((machine) => `${machine.role} ${machine.name}`)]),
    ).toEqual([
      ["sapporo", ["agent agent-1", "agent agent-2", "agent agent-3", "agent agent-4"]],
      ["tokyo", ["server tokyo-a", "server tokyo-c", "server tokyo-d"]],
    ]);
    expect(Object.keys(platform)).toEqual([
      "alloy",
      "argo-cd",
      "cert-manager",
      "cloudnative-pg",
      "kube-prometheus-stack",
      "loki",
      "openebs",
      "plugin-barman-cloud",
      "postgres",
    ]);
  });

  test("no two machines share a host key", () => {
    const keys = ["dev", "prod"].flatMap((stack) =>
      existingIn(parseSettings(stackSettings(stack), readRoot("regions.yaml"))).map(({ ssh }) => ssh.hostKey),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});

test("a merge patch removes what is null and keeps the rest", () => {
  expect(mergePatch({ a: { b: 1, c: 2 } }, { a: { b: null, d: [1] } })).toEqual({ a: { c: 2, d: [1] } });
});
