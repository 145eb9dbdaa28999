import { join } from "node:path";
import { execa } from "execa";
import { afterEach, expect, test } from "vitest";
import { PROJECT_FOLDER, type Rehearsal } from "../../rehearsal/rehearsal.ts";
import { readState } from "../../tools/doctor/state.ts";
import { fine, hostKey, machine, openSample, settingsOf } from "./sample.ts";

let rehearsal: Rehearsal | undefined;
afterEach(async () => {
  await rehearsal?.close();
  rehearsal = undefined;
});

/** `npm run doctor` in the rehearsal's own project and state. */
async function doctor(...words: string[]) {
  const workspace = rehearsal?.session.stack.workspace;
  return execa(process.execPath, [join(PROJECT_FOLDER, "tools/doctor.ts"), ...words], {
    cwd: workspace?.workDir ?? PROJECT_FOLDER,
    env: workspace?.envVars ?? {},
    reject: false,
  });
}

const server = (name: string, last: number, port: number) => machine(name, last, { sshAddress: "127.0.0.1", port });
/** Nobody listens there: the doctor must not leave this computer. */
const RACK = {
  provider: "existing",
  lan: "172.26.0.0/16",
  user: "ops",
  pools: { control: { role: "server", machines: { "s-1": server("s-1", 11, 1) } } },
};

test("the doctor reads settings, state and keys by the CLI, dials every node, and says what it finds", async () => {
  rehearsal = await openSample(settingsOf({ rack: RACK }));
  await fine(rehearsal.up());
  const { stdout, exitCode } = await doctor("sample", "--json");
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 1,
    stack: "sample",
    region: "tokyo",
    mesh: "none",
    packetBytes: 1500,
    nodes: [{ name: "s-1", address: "172.26.0.11", dialled: "ops@127.0.0.1:1", reached: false }],
    ways: [],
    notLookedAt: [],
    findings: [
      {
        number: 1,
        check: "ssh",
        node: "s-1",
        text: "s-1: 127.0.0.1 port 1 does not answer: ssh: connect to host 127.0.0.1 port 1: Connection refused",
      },
    ],
  });
  const text = await doctor("sample");
  expect(text.exitCode).toBe(1);
  expect(text.stdout).toMatch(
    /^doctor of sample: region tokyo, 1 node, no mesh\n[^]*\n1 finding: 0 of 1 nodes reached$/,
  );
});

test("a stack that does not run, one that is not there, and wrong words end with 2 and the reason", async () => {
  rehearsal = await openSample(settingsOf({ rack: RACK }));
  const [empty, unknown, many] = [await doctor("sample"), await doctor("nowhere"), await doctor("one", "two")];
  expect([empty.exitCode, unknown.exitCode, many.exitCode]).toEqual([2, 2, 2]);
  expect(empty.stderr).toBe("found no region in the stack's state · fix: pulumi up first, or name another stack");
  expect(unknown.stderr).toContain("no stack named 'nowhere' found");
  expect(many.stderr).toMatch(/^found 2 stacks · allowed one\n/);
  expect([empty.stdout, unknown.stdout, many.stdout].join("")).toBe("");
});

test("the state says how each machine is reached, whatever the kind of its site", async () => {
  const jump = { host: "gate.example.net", hostKey: hostKey("gate") };
  rehearsal = await openSample(
    settingsOf({
      rack: { ...RACK, pools: { control: { role: "server", machines: { "s-1": machine("s-1", 11, { jump }) } } } },
      mac: {
        provider: "lima",
        host: { address: "imac.example.net", user: "me", hostKey: hostKey("imac") },
        lan: "192.168.105.0/24",
        pools: { home: { role: "agent", machines: { "vm-a": {} } } },
      },
      cloud: {
        provider: "hetzner",
        locations: ["fsn1"],
        lan: "10.30.0.0/24",
        access: { from: ["198.51.100.7/32"] },
        pools: { work: { role: "agent", type: "cx33", machines: { "h-a": {} } } },
      },
      lightsail: {
        provider: "lightsail",
        awsRegion: "ap-northeast-1",
        lan: "172.27.0.0/16",
        access: { from: ["198.51.100.7/32"] },
        pools: { work: { role: "agent", bundle: "large_3_0", machines: { "l-a": { zone: "a" } } } },
      },
    }),
  );
  await fine(rehearsal.up());
  const { deployed, targets } = readState(
    JSON.stringify({ deployment: { resources: await rehearsal.session.state() } }),
  );
  expect(targets.map(({ name }) => name).sort()).toEqual(deployed.nodes.map(({ name }) => name).sort());
  const of = (name: string) => targets.find((target) => target.name === name);
  expect(of("s-1")).toEqual({
    name: "s-1",
    user: "ops",
    host: "172.26.0.11",
    port: 22,
    hostKey: hostKey("s-1"),
    jump: { user: "root", host: "gate.example.net", port: 22, hostKey: hostKey("gate") },
  });
  expect(of("vm-a")?.jump).toMatchObject({ host: "imac.example.net", user: "me", hostKey: hostKey("imac") });
  for (const name of ["h-a", "l-a"]) expect(of(name)?.hostKey).toMatch(/^ssh-ed25519 \S+$/);
});
