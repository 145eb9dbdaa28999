import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Device } from "../../components/mesh/resources/device.ts";
import { JoinKey } from "../../components/mesh/resources/join-key.ts";
import { MeshProvider } from "../../components/mesh/resources/mesh-provider.ts";
import { TailnetPolicy } from "../../components/mesh/resources/tailnet-policy.ts";
import { tailnetPolicy } from "../../components/mesh/tailnet-policy.ts";
import { fine, stepsOf } from "../engine/sample.ts";
import { describeHosts } from "../support/lab/describe-hosts.ts";
import { MESH_PLAN, MeshLab, TAG } from "../support/lab/mesh.ts";
import { BUILD_BUDGET, MESH_PREREQUISITES } from "../support/lab/mesh-tools.ts";
import { succeeded } from "../support/lab/region.ts";
import { Machine, openMesh, type MeshSession } from "../support/mesh-session.ts";

/** What a person wrote before a region came. */
const THEIRS = `// Policy of the lab. Ask ops before you change it!
{
	/* people */
	"groups": {"group:ops": ["ops@"]}, // on call

	"tagOwners": {
		"tag:nas": ["group:ops"], // files
	},
	"grants": [
		// people may do everything
		{"src": ["group:ops"], "dst": ["*"], "ip": ["*"]},
		// machines: none yet
	],
}
`;
const NAME = "server-a";
const HOUR = 3_600_000;

describeHosts("the mesh's provider and a real headscale", MESH_PREREQUISITES, () => {
  let lab: MeshLab;
  let mesh: MeshSession;
  let apiKey: string;
  let ahead = 0;

  beforeAll(async () => {
    lab = await MeshLab.create([NAME]);
    apiKey = await lab.headscale.createApiKey();
    await lab.headscale.setPolicy(THEIRS);
    mesh = await openMesh({
      program: region(),
      now: () => Date.now() + ahead,
      // As for a host that stands already: it joins over SSH, and is made a node.
      boot: async ({ hostname, key }) => {
        succeeded(await lab.join(hostname, key));
        succeeded(await lab.node(hostname, "converge"));
      },
    });
  }, BUILD_BUDGET);
  afterAll(async () => {
    await mesh.session.close();
    lab.lab.close();
  });

  /** A region of one machine, or of none; `again` is another machine that has its name. */
  const region =
    ({ machine = true, again = false } = {}): PulumiFn =>
    () => {
      const provider = new MeshProvider("control", { control: "headscale", url: lab.headscale.url, apiKey });
      const parts = tailnetPolicy({
        tag: TAG,
        owners: ["group:ops"],
        operators: ["group:ops"],
        lans: [MESH_PLAN.sites.tokyo.lan],
        relay: false,
      });
      const policy = new TailnetPolicy("policy", { parts, owner: "lab" }, { provider });
      const after = { provider, dependsOn: [policy] };
      const named = { machine: NAME, tags: [TAG] };
      if (again) new JoinKey("again", { ...named, region: "lab", life: "1" }, after);
      if (!machine) return Promise.resolve({});
      const key = new JoinKey("key", { ...named, region: "lab", life: "1" }, after);
      const host = new Machine("host", { hostname: NAME, key: key.key, life: "1" });
      const device = new Device(
        "device",
        { ...named, machineId: host.id, keyId: key.keyId, waitSeconds: 30 },
        { ...after, deleteBeforeReplace: true },
      );
      return Promise.resolve({ address: device.address, deviceId: device.deviceId });
    };

  it("writes its lines into the policy, then a key that works once, and waits for the device", async () => {
    const { finished } = await fine(mesh.session.up());
    expect(finished.filter(({ custom }) => custom).map(({ name }) => name)).toEqual([
      "control",
      "policy",
      "key",
      "host",
      "device",
    ]);
    const device = await lab.headscale.device(NAME);
    const { address, deviceId } = await mesh.session.outputs();
    expect(address?.value).toBe((await lab.status(NAME)).TailscaleIPs[0]);
    expect(deviceId?.value).toBe(device.id);
    const route = `${lab.lab.host(NAME).address}/32`;
    expect(device).toMatchObject({ tags: [TAG], approvedRoutes: [route], availableRoutes: [route] });
    expect(device.expiry).toBeUndefined();
    const keys = await lab.headscale.keys();
    expect(keys.map(({ used, reusable = false, ephemeral = false }) => ({ used, reusable, ephemeral }))).toEqual([
      { used: true, reusable: false, ephemeral: false },
    ]);
    const policy = (await lab.headscale.policy()).split("\n");
    expect(policy.filter((line) => line.includes("// hybrid-k3s"))).toHaveLength(6);
    // Every line of theirs still stands, in their order.
    let from = 0;
    for (const line of THEIRS.split("\n")) {
      const at = policy.indexOf(line, from);
      expect(at, line).toBeGreaterThanOrEqual(from);
      from = at + 1;
    }
  });

  it("has nothing to do afterwards, not even when the key has expired", async () => {
    expect(stepsOf(await fine(mesh.session.preview()))).toEqual([]);
    ahead = 2 * HOUR;
    expect(stepsOf(await fine(mesh.session.preview()))).toEqual([]);
    ahead = 0;
  });

  it("refuses a key for a name that stands in the mesh", async () => {
    mesh.session.use(region({ again: true }));
    const { failure } = await mesh.session.up();
    expect(failure).toMatch(
      /again: .*the mesh has a device called server-a already: server-a \(id \d+, 100\.64\.0\.\d+, /,
    );
    expect(await lab.headscale.keys()).toHaveLength(1);
  });

  it("sees a line that somebody takes out of the policy, and puts it back", async () => {
    mesh.session.use(region());
    const policy = await lab.headscale.policy();
    await lab.headscale.setPolicy(policy.replace(/\n[^\n]*"dst": \["tag:k3s-lab"[^\n]*"tcp:22"[^\n]*/, ""));
    expect(await lab.headscale.policy()).not.toBe(policy);
    expect(stepsOf(await fine(mesh.session.preview()))).toEqual(["update policy"]);
    await fine(mesh.session.up());
    expect(await lab.headscale.policy()).toBe(policy);
  });

  it("leaves no device, key or route of a machine that is taken out, and no line when the region ends", async () => {
    const lines = await lab.headscale.policy();
    mesh.session.use(region({ machine: false }));
    expect(stepsOf(await fine(mesh.session.up()))).toEqual(["delete device", "delete host", "delete key"]);
    expect([await lab.headscale.devices(), await lab.headscale.keys()]).toEqual([[], []]);
    expect(lines).not.toContain(NAME);
    expect(await lab.headscale.policy()).toBe(lines);
    await fine(mesh.session.destroy());
    expect(await lab.headscale.policy()).toBe(THEIRS);
  });
});
