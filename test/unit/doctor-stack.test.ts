import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { stationCommandText } from "../../components/host/command-text.ts";
import { DEPLOYED_SCHEMA, parseDeployed, type Deployed } from "../../stacks/deployed.ts";
import { parseSettings } from "../../stacks/settings.ts";
import { readConfiguration } from "../../tools/doctor/configuration.ts";
import { controlOf } from "../../tools/doctor/control.ts";
import { expectationsOf } from "../../tools/doctor/expectations.ts";
import { readState, targetOf } from "../../tools/doctor/state.ts";
import { HOST_KEY } from "../support/sample.ts";

const REGIONS = readFileSync(new URL("../../regions.yaml", import.meta.url), "utf8");

const MACHINES = { "s-1": { address: "10.20.0.11", hostKey: HOST_KEY } };
const SETTINGS = {
  region: "tokyo",
  kubernetes: { version: "v1.36.3+k3s1" },
  sites: {
    rack: { provider: "existing", lan: "10.20.0.0/24", pools: { control: { role: "server", machines: MACHINES } } },
    later: {
      provider: "existing",
      lan: "10.40.0.0/24",
      pools: { work: { role: "agent", machines: { "l-1": { address: "10.40.0.11", hostKey: HOST_KEY } } } },
    },
  },
};
const TAILSCALE = {
  provider: "tailscale",
  headscale: { url: "https://headscale.example.net" },
  operators: ["group:ops"],
};

const deployed = (more: object = {}): Deployed =>
  parseDeployed({
    schema: DEPLOYED_SCHEMA,
    region: "tokyo",
    versions: { kubernetes: "v1.36.3+k3s1", releases: {} },
    ranges: { pods: "10.64.0.0/16", services: "10.65.0.0/16" },
    nodes: [{ name: "s-1", role: "server", site: "rack", pool: "control", generation: 1, address: "10.20.0.11" }],
    contacts: [],
    ...more,
  })!;

describe("a stack's state", () => {
  const line = `s-1 ops@10.20.0.11:2222 ${HOST_KEY} gate@gate.example.net:22 ${HOST_KEY}`;
  const command = (targets: string): string =>
    stationCommandText({
      script: "existing-host",
      action: "verify",
      parameters: { NODE_NAME: "s-1", TARGETS: targets },
    });
  const host = (inputs: object, more: object = {}) => ({
    urn: "urn:pulumi:x::hybrid-k3s::hybrid-k3s:existing:Site$command:local:Command::s-1-host",
    type: "command:local:Command",
    inputs,
    ...more,
  });
  const stack = { urn: "urn:pulumi:x::hybrid-k3s::pulumi:pulumi:Stack::hybrid-k3s-x", type: "pulumi:pulumi:Stack" };
  const exported = (...resources: object[]): string =>
    JSON.stringify({ deployment: { resources: [{ ...stack, outputs: { deployed: deployed() } }, ...resources] } });
  const target = {
    name: "s-1",
    user: "ops",
    host: "10.20.0.11",
    port: 2222,
    hostKey: HOST_KEY,
    jump: { user: "gate", host: "gate.example.net", port: 22, hostKey: HOST_KEY },
  };

  it("says how each host was reached last, by its script's own line", () => {
    const { deployed: record, targets } = readState(
      exported(host({ create: command("s-1 old@10.9.9.9:22 ssh-ed25519 AAAA"), update: command(line) })),
    );
    expect(record.nodes.map(({ name }) => name)).toEqual(["s-1"]);
    expect(targets).toEqual([target]);
  });

  it("is read where the command is a secret, too", () => {
    const secret = { "4dabf18193072939515e22adb298388d": "x", plaintext: JSON.stringify(command(line)) };
    expect(readState(exported(host({ create: secret }))).targets).toEqual([target]);
  });

  it("has no target in what is about to go, in other commands and in other texts", () => {
    const others = [
      host({ update: command(line) }, { delete: true }),
      host({ update: command(line) }, { urn: "urn:pulumi:x::hybrid-k3s::command:local:Command::s-1-member" }),
      host({ update: command(line) }, { type: "command:remote:Command" }),
      host({ update: "echo" }),
      host({}),
      host({ update: command(line.replace("s-1", "s-2")) }),
    ];
    expect(readState(exported(...others)).targets).toEqual([]);
  });

  it("is refused where no region runs", () => {
    const fix = "found no region in the stack's state · fix: pulumi up first, or name another stack";
    expect(() => readState(JSON.stringify({ deployment: {} }))).toThrow(fix);
    expect(() => readState(JSON.stringify({ deployment: { resources: [stack] } }))).toThrow(fix);
  });

  it("has lines that are targets, and others", () => {
    expect(targetOf("v6 root@[2001:db8::1]:22 ssh-ed25519 AAAA")).toMatchObject({ host: "2001:db8::1", port: 22 });
    for (const text of ["", "name", "name root@host ssh-ed25519 AAAA", "name root@host:22 ssh-ed25519"]) {
      expect(targetOf(text)).toBeUndefined();
    }
  });
});

describe("a stack's configuration", () => {
  const KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----";
  const printed = (more: object = {}): string =>
    JSON.stringify({
      ...Object.fromEntries(
        Object.entries({ ...SETTINGS, mesh: { ...TAILSCALE, apiKey: "hskey-api-1" } }).map(([name, value]) => [
          `hybrid-k3s:${name}`,
          { value: typeof value === "string" ? value : JSON.stringify(value), secret: name === "mesh" },
        ]),
      ),
      "hybrid-k3s:sshPrivateKey": { value: KEY, secret: true },
      "pulumi:disable-default-providers": { value: "[]", secret: false },
      ...more,
    });

  it("is read as the program reads it", () => {
    const { settings, privateKeys, mesh } = readConfiguration(printed());
    expect(settings.sites.map(({ name }) => name)).toEqual(["later", "rack"]);
    expect(settings.encrypted).toEqual(["mesh"]);
    expect(privateKeys).toEqual([KEY]);
    expect(controlOf(settings.mesh, mesh, {})).toBeDefined();
  });

  it("has the key before it second", () => {
    const previous = { "hybrid-k3s:previousSshPrivateKey": { value: `${KEY}2\n`, secret: true } };
    expect(readConfiguration(printed(previous)).privateKeys).toEqual([KEY, `${KEY}2`]);
  });

  it("is refused with every problem, and without a login key", () => {
    expect(() => readConfiguration(printed({ "hybrid-k3s:sshPrivateKey": { value: "" } }))).toThrow(
      "sshPrivateKey: found nothing · allowed an encrypted SSH private key · fix: pulumi config set --secret hybrid-k3s:sshPrivateKey < ~/.ssh/id_ed25519",
    );
    expect(() => readConfiguration(printed({ "hybrid-k3s:region": { value: "atlantis" } }))).toThrow("atlantis");
  });
});

describe("what is expected of a region", () => {
  const settings = (more: object = {}) => parseSettings({ ...SETTINGS, ...more }, REGIONS);

  it("follows from the settings and from what runs", () => {
    expect(expectationsOf(settings(), deployed())).toEqual({
      region: "tokyo",
      nodes: [{ name: "s-1", role: "server", site: "rack", address: "10.20.0.11" }],
      // Nothing runs in the other one yet.
      sites: { rack: { lan: "10.20.0.0/24", nodeAddresses: "lan" } },
      mtus: { underlay: 1500, pods: 1450, tcpMss: 1410 },
      tunnel: "flannel.1",
      differences: ["machines of the settings that do not run yet: l-1"],
    });
  });

  it("is judged by the ranges that were deployed, and says where the settings have others", () => {
    const sites = { rack: { lan: "10.99.0.0/24", nodeAddresses: "lan" as const } };
    const { sites: expected, differences } = expectationsOf(settings(), deployed({ sites }));
    expect(expected).toEqual(sites);
    expect(differences).toContain("the LAN of rack: the settings say 10.20.0.0/24, the region runs 10.99.0.0/24");
  });

  it("says where nodes would have other addresses than the deployed ones", () => {
    const sites = { rack: { lan: "10.20.0.0/24", nodeAddresses: "mesh" as const } };
    expect(expectationsOf(settings(), deployed({ sites })).differences).toContain(
      "nodeAddresses of rack: the settings say lan, the region runs mesh",
    );
  });

  it("says what the next update would change of the nodes and of k3s", () => {
    const [first] = deployed().nodes;
    const { differences } = expectationsOf(
      settings(),
      deployed({ nodes: [{ ...first!, generation: 7 }], versions: { kubernetes: "v1.30.0+k3s1", releases: {} } }),
    );
    expect(differences).toContain("machines of another generation than the one that runs: s-1");
    expect(differences.find((text) => text.startsWith("k3s: "))).toContain("the region runs v1.30.0+k3s1");
  });

  it("knows the mesh that runs, and whose devices are the region's", () => {
    const expected = expectationsOf(settings({ mesh: TAILSCALE }), deployed({ mesh: "tailscale" }));
    expect(expected.mesh).toEqual({
      provider: "tailscale",
      interface: "tailscale0",
      tag: "tag:k3s-tokyo",
      siteRule: true,
    });
    expect(expected.mtus).toMatchObject({ meshMtu: 1280, carrier: 1360, underlay: 1280, pods: 1230 });
    const netbird = { provider: "netbird", operators: ["workstations"] };
    expect(expectationsOf(settings({ mesh: netbird }), deployed({ mesh: "netbird" })).mesh).toEqual({
      provider: "netbird",
      interface: "wt0",
      tag: "k3s-tokyo",
      siteRule: false,
    });
  });

  it("is what runs where the settings are ahead of it, and says so", () => {
    const gone = { name: "s-9", role: "server", site: "rack", pool: "control", generation: 1, address: "10.20.0.19" };
    const nodes = [...deployed().nodes, gone];
    const ahead = expectationsOf(
      settings({ kubernetes: { ...SETTINGS.kubernetes, cni: "cilium" } }),
      deployed({ mesh: "tailscale", nodes }),
    );
    expect(ahead.mesh).toEqual({ provider: "tailscale", interface: "tailscale0", siteRule: true });
    expect(ahead.tunnel).toBe("flannel.1");
    expect(ahead.differences).toEqual([
      "the mesh: the settings say none, the region runs tailscale",
      "the pod network: the settings say cilium, the region runs flannel-vxlan",
      "nodes that run and are not in the settings: s-9",
      "machines of the settings that do not run yet: l-1",
    ]);
  });

  it("has no interface of flannel where Cilium runs", () => {
    const cilium = settings({ kubernetes: { ...SETTINGS.kubernetes, cni: "cilium" } });
    expect(expectationsOf(cilium, deployed({ cni: "cilium" })).tunnel).toBeUndefined();
  });
});

describe("the control plane of a region", () => {
  const meshOf = (mesh: object) => parseSettings({ ...SETTINGS, mesh }, REGIONS, new Set(["mesh"])).mesh;

  it("is not asked without a mesh", () => {
    expect(controlOf({ provider: "none" }, undefined, {})).toBeUndefined();
  });

  it.each([
    ["headscale at https://headscale.example.net", TAILSCALE],
    ["tailscale at https://api.tailscale.com", { provider: "tailscale" }],
    ["netbird at https://api.netbird.io", { provider: "netbird", operators: ["workstations"] }],
  ])("is %s, and says where a credential belongs", async (place, mesh) => {
    await expect(controlOf(meshOf(mesh), mesh, {})?.devices()).rejects.toThrow(`no credential for ${place} · fix: `);
  });
});
