import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  LocalWorkspace,
  PulumiCommand,
  type ProjectSettings,
  type PulumiFn,
  type Stack,
} from "@pulumi/pulumi/automation/index.js";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { JoinKey } from "../../components/mesh/resources/join-key.ts";
import { MeshProvider } from "../../components/mesh/resources/mesh-provider.ts";
import { describeSteps, StepRecorder } from "../../rehearsal/engine/steps.ts";
import { TailnetStandIn } from "../../rehearsal/mesh/tailnet.ts";
import { realEffects } from "../../tools/toolchain/effects.ts";
import { resolveCli } from "../../tools/toolchain/resolve.ts";
import { eventually } from "../support/lab/run.ts";

// The engine starts the provider's plugin itself, as it does for a user: by the path that the project's settings name.
const cli = resolveCli(realEffects((line) => console.error(line)));
const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const WRAPPER = "pulumi-resource-hybrid-k3s-mesh";
const TAG = "tag:k3s-tokyo";

let tailnet: TailnetStandIn;
let folder: string;
beforeEach(async () => {
  tailnet = new TailnetStandIn();
  tailnet.policy = JSON.stringify({ tagOwners: { [TAG]: ["autogroup:admin"] } });
  await tailnet.serve();
  folder = mkdtempSync(join(tmpdir(), "hybrid-k3s-plugin-"));
  mkdirSync(join(folder, "project"));
});
afterEach(async () => {
  await tailnet.stop();
  for (const pid of await plugins()) process.kill(pid, "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** A project whose provider is this repository's, by a path of its own: its processes are told apart from others'. */
function project({ installed = true } = {}): string {
  const root = join(folder, "project");
  const provider = join(root, "provider");
  if (installed) {
    symlinkSync(join(REPOSITORY, "provider"), provider);
    symlinkSync(join(REPOSITORY, "node_modules"), join(root, "node_modules"));
  } else {
    mkdirSync(provider);
    copyFileSync(join(REPOSITORY, "provider", WRAPPER), join(provider, WRAPPER));
  }
  return provider;
}

const at = (path: string): object => ({ providers: [{ name: "hybrid-k3s-mesh", path }] });

/** Plugins of this test's project that run. */
async function plugins(): Promise<number[]> {
  const { stdout } = await execa("ps", ["-A", "-o", "pid=,args="]);
  return stdout
    .split("\n")
    .filter((line) => line.includes(join(folder, "project", "provider", "main.ts")))
    .map((line) => Number(line.trim().split(" ")[0]));
}

/** Opens a stack in the project's folder, with plugins as these settings name them. */
async function openStack(plugins: unknown, program: PulumiFn, environment: Record<string, string> = {}) {
  const { path } = await cli;
  const [state, home, root] = [join(folder, "state"), join(folder, "home"), join(folder, "cli")];
  for (const made of [state, home, join(root, "bin")]) mkdirSync(made, { recursive: true });
  symlinkSync(path, join(root, "bin", "pulumi"));
  const settings: ProjectSettings & { plugins: unknown } = { name: "plugin", runtime: "nodejs", plugins };
  return LocalWorkspace.createStack(
    { stackName: "plugin", projectName: "plugin", program },
    {
      workDir: join(folder, "project"),
      pulumiHome: home,
      projectSettings: settings,
      pulumiCommand: await PulumiCommand.get({ root }),
      envVars: {
        PULUMI_BACKEND_URL: `file://${state}`,
        PULUMI_CONFIG_PASSPHRASE: "plugin",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        ...environment,
      },
    },
  );
}

/** Runs the engine once, and yields its steps as `op name`. */
async function run(stack: Stack, command: "preview" | "up" | "destroy"): Promise<string[]> {
  const recorder = new StepRecorder();
  await stack[command]({ onEvent: recorder.onEvent, color: "never" });
  return describeSteps(recorder.steps, true);
}

const noneRuns = (): Promise<unknown> =>
  eventually("the plugin to end", { seconds: 10, every: 0.1 }, async () => (await plugins()).length === 0 || undefined);

describe("the plugin", () => {
  let running: number[][];
  const program =
    (credential: object): PulumiFn =>
    () => {
      const provider = new MeshProvider("control", { control: "tailscale", url: tailnet.url, ...credential });
      const args = { machine: "tokyo-a", region: "tokyo", tags: [TAG], life: "1" };
      const key = new JoinKey("key", args, { provider });
      const keyId = key.keyId.apply(async (id) => {
        running.push(await plugins());
        return id;
      });
      return Promise.resolve({ keyId });
    };
  beforeEach(() => {
    running = [];
  });

  test("is started by the engine, makes a key, has nothing to do after that, and is gone after each run", async () => {
    project();
    const { plugins: named } = parse(readFileSync(join(REPOSITORY, "Pulumi.yaml"), "utf8")) as { plugins: object };
    // As Pulumi.yaml names it: from the project's folder on.
    expect(named).toEqual(at("./provider"));
    const stack = await openStack(named, program({ apiKey: tailnet.apiKey }));
    expect(await run(stack, "preview")).toEqual(["create control", "create key"]);
    expect(tailnet.server.requests).toEqual([]);
    await noneRuns();
    expect(await run(stack, "up")).toEqual(["create control", "create key"]);
    // It did run, once, while the engine did.
    expect(running.at(-1)).toHaveLength(1);
    await noneRuns();
    const [made] = [...tailnet.keys.values()];
    expect((await stack.outputs())["keyId"]).toEqual({ value: made!.id, secret: false });
    expect(await run(stack, "preview")).toEqual([]);
    await noneRuns();
    const files = readdirSync(join(folder, "state"), { recursive: true, withFileTypes: true });
    const texts = files
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
    expect(texts.join("\n")).toContain(made!.id);
    for (const secret of [made!.key, tailnet.apiKey]) expect(texts.join("\n")).not.toContain(secret);
    expect(await run(stack, "destroy")).toEqual(["delete control", "delete key"]);
    expect(tailnet.keys.size).toBe(0);
    await noneRuns();
  });

  test("takes its credential from the environment of the run; a preview needs none", async () => {
    const stack = await openStack(at(project()), program({}), { TAILSCALE_API_KEY: "" });
    expect(await run(stack, "preview")).toEqual(["create control", "create key"]);
    await expect(run(stack, "up")).rejects.toThrow(
      `no credential for tailscale at ${tailnet.url} · fix: set mesh.apiKey`,
    );
    stack.workspace.envVars["TAILSCALE_API_KEY"] = tailnet.apiKey;
    await run(stack, "up");
    expect(tailnet.keys.size).toBe(1);
    await run(stack, "destroy");
    await noneRuns();
  });

  test("without the project's packages it does not start, and the run says what to do", async () => {
    const provider = project({ installed: false });
    const stack = await openStack(at(provider), program({ apiKey: tailnet.apiKey }));
    const said = `the project's packages are not installed · fix: npm ci in ${join(folder, "project")}`;
    await expect(run(stack, "preview")).rejects.toThrow(said);
    const { exitCode, stderr } = await execa(join(provider, WRAPPER), ["127.0.0.1:1"], { reject: false });
    expect([exitCode, stderr]).toEqual([1, `hybrid-k3s-mesh: ${said}`]);
  });
});

describe("a plugin whose engine does not end it", () => {
  /** Starts the plugin below a process that stands for the engine. */
  async function started() {
    const wrapper = join(project(), WRAPPER);
    const code = `require("node:child_process").spawn(${JSON.stringify(wrapper)}, ["127.0.0.1:1"], { stdio: "inherit" })`;
    const engine = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    const port = await new Promise<string>((resolve) => engine.stdout.once("data", (text) => resolve(String(text))));
    return { engine, port };
  }

  test("ends by itself when the engine was killed", async () => {
    const { engine, port } = await started();
    expect(port).toMatch(/^\d+\n$/);
    const [pid] = await plugins();
    engine.kill("SIGKILL");
    expect(await plugins()).toEqual([pid]);
    await noneRuns();
  });

  test.each(["SIGINT", "SIGTERM"] as const)("ends with %s", async (signal) => {
    const { engine } = await started();
    const [pid] = await plugins();
    process.kill(pid!, signal);
    await noneRuns();
    await new Promise((resolve) => (engine.exitCode === null ? engine.once("exit", resolve) : resolve(undefined)));
  });
});
