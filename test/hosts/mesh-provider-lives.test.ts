import { afterAll, beforeAll, expect, it } from "vitest";
import { tailnetPolicy } from "../../components/mesh/tailnet-policy.ts";
import { connectMesh } from "../../provider/control/connect.ts";
import { textOf } from "../../provider/protocol/values.ts";
import type { Values } from "../../provider/protocol/wire.ts";
import type { Lived } from "../support/mesh-operation.ts";
import { meshTypes, wordsOf } from "../support/mesh-types.ts";
import { describeHosts } from "../support/lab/describe-hosts.ts";
import { MESH_PLAN, MeshLab, TAG } from "../support/lab/mesh.ts";
import { BUILD_BUDGET, MESH_PREREQUISITES } from "../support/lab/mesh-tools.ts";
import { succeeded } from "../support/lab/region.ts";

/** What a person wrote before a region came, in a style that nobody else has. */
const THEIRS = `// Policy of the lab. Ask ops before you change it!
{
	/* people */
	"groups":    {"group:ops": ["ops@"]}, // on call
	"tagOwners": {
		"tag:nas": ["group:ops"],   // files
	},
	"grants": [
		{"src": ["group:ops"], "dst": ["*"], "ip": ["*"]},
		// machines: none yet
	],
}`;
const NAME = "server-a";
const HOUR = 3_600_000;
const OWNER = "lab";

describeHosts("the provider's resources through their lives at a real headscale", MESH_PREREQUISITES, () => {
  let mesh: MeshLab;
  let ahead = 0;
  let credential: { apiKey: string };
  const configuration = () => ({ control: "headscale", url: mesh.headscale.url, ...credential });
  const { lived } = meshTypes({ configuration, now: () => Date.now() + ahead });
  let [policy, key, device] = [] as unknown as [Lived, Lived, Lived];
  /** The policy as the API has it, to the byte. */
  const policyText = async (): Promise<string | undefined> =>
    (await connectMesh(configuration(), {}).policy!.readPolicy())?.text;
  const keyIds = async (): Promise<string[]> => (await mesh.headscale.keys()).map(({ id }) => String(id));
  const secret = (): string => textOf(key.state["key"]);

  // As the engine passes them.
  const parts = JSON.parse(
    JSON.stringify(
      tailnetPolicy({
        tag: TAG,
        owners: ["group:ops"],
        operators: ["group:ops"],
        lans: [MESH_PLAN.sites.tokyo.lan],
        relay: false,
      }),
    ),
  ) as Values;
  const joinKey = { machine: NAME, region: OWNER, tags: [TAG], life: "1" };
  const member = (machineId: string) => ({
    machine: NAME,
    machineId,
    keyId: textOf(key.state["keyId"]),
    tags: [TAG],
    waitSeconds: 60,
  });

  beforeAll(async () => {
    mesh = await MeshLab.create([NAME]);
    credential = { apiKey: await mesh.headscale.createApiKey() };
    await mesh.headscale.setPolicy(THEIRS);
    [policy, key, device] = [lived("TailnetPolicy"), lived("JoinKey"), lived("Device")];
  }, BUILD_BUDGET);
  afterAll(() => {
    mesh.lab.close();
  });

  // Unlike Tailscale, headscale makes a key for a tag that no policy knows: the order is the program's to keep.
  it("merges its lines into the policy beside a person's, and then makes a key", async () => {
    expect(await policyText()).toBe(THEIRS);
    await policy.create({ owner: OWNER, parts });
    const text = (await policyText()) ?? "";
    expect(text.split("\n").filter((line) => THEIRS.includes(line))).toEqual(THEIRS.split("\n"));
    expect(text).toContain(`"${TAG}": ["group:ops"], // hybrid-k3s:${OWNER}`);
    expect(await policy.diff()).toEqual([]);
    await key.create(joinKey);
    expect(await keyIds()).toEqual([key.id]);
  });

  it("mints a key anew that expired before its machine came; the one before lets nobody in", async () => {
    const [before, id] = [secret(), key.id];
    ahead = 2 * HOUR;
    expect(await key.diff()).toEqual(["expires"]);
    await key.update();
    ahead = 0;
    expect(secret()).not.toBe(before);
    expect(await keyIds()).toEqual([textOf(key.state["keyId"])]);
    expect(await keyIds()).not.toContain(id);
    const refused = await mesh.join(NAME, before);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      `${NAME} could not join the tailnet at ${mesh.headscale.url}: backend error: invalid pre auth key\n`,
    );
    expect(await mesh.headscale.devices()).toEqual([]);
  });

  it("waits for the machine, and knows its address as the machine does", async () => {
    const waited = device.create(member("i-1"));
    succeeded(await mesh.join(NAME, secret()));
    const { address, deviceId } = await waited;
    expect(address).toBe((await mesh.status(NAME)).TailscaleIPs[0]);
    expect(deviceId).toBe((await mesh.headscale.device(NAME)).id);
    succeeded(await mesh.node(NAME, "converge"));
    const route = `${mesh.lab.host(NAME).address}/32`;
    expect(await mesh.headscale.device(NAME)).toMatchObject({ approvedRoutes: [route], tags: [TAG] });
    ahead = 1000 * HOUR;
    expect([await key.diff(), await device.diff(), await policy.diff()]).toEqual([[], [], []]);
    ahead = 0;
  });

  it("switches off that a device has to log in again", async () => {
    const { id } = await mesh.headscale.device(NAME);
    await mesh.headscale.expireDevice(id, new Date(Date.now() + HOUR));
    expect((await mesh.headscale.device(NAME)).expiry).toBeTypeOf("string");
    await lived("Device").create(member("i-1"));
    expect((await mesh.headscale.device(NAME)).expiry).toBeUndefined();
    expect((await mesh.status(NAME)).BackendState).toBe("Running");
  });

  it("makes a key for the machine's next life while the old one stands, and its device follows under the same name", async () => {
    const [before, old] = [secret(), await mesh.headscale.device(NAME)];
    expect(await wordsOf(lived("JoinKey").create(joinKey))).toContain(`the mesh has a device called ${NAME} already`);
    await key.update({ ...joinKey, life: "2" });
    // The used key is gone, and the machine that it brought in is not.
    expect(await keyIds()).toEqual([textOf(key.state["keyId"])]);
    expect((await mesh.status(NAME)).BackendState).toBe("Running");
    expect((await mesh.headscale.device(NAME)).id).toBe(old.id);
    await device.delete();
    expect(await device.isThere()).toBe(false);
    expect(await mesh.headscale.devices()).toEqual([]);
    await mesh.lab.start(NAME, { wipe: true });
    expect((await mesh.join(NAME, before)).code).toBe(1);
    device = lived("Device");
    const waited = device.create(member("i-2"));
    succeeded(await mesh.join(NAME, secret()));
    expect((await waited)["deviceId"]).not.toBe(old.id);
    expect((await mesh.headscale.devices()).map(({ givenName }) => givenName)).toEqual([NAME]);
  });

  it("leaves no device, key, route or line of the policy behind, and what a person wrote to the byte", async () => {
    expect(await policyText()).not.toContain(NAME);
    await device.delete();
    await key.delete();
    expect([await mesh.headscale.devices(), await mesh.headscale.keys()]).toEqual([[], []]);
    await policy.delete();
    expect(await policyText()).toBe(THEIRS);
    // Whatever is gone already is no error.
    for (const resource of [device, key, policy]) await resource.delete();
  });
});
