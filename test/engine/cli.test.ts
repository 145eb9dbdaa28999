import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROJECT_FOLDER } from "../../rehearsal/rehearsal.ts";

// A temporary folder of its own, so that what a run leaves behind can be counted.
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hybrid-k3s-cli-test-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const rehearse = (...words: string[]) =>
  execa(process.execPath, ["tools/rehearse.ts", ...words], {
    cwd: PROJECT_FOLDER,
    env: { TMPDIR: folder },
    reject: false,
  });
const leftBehind = async (): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith("hybrid-k3s-rehearsal-"));

describe("npm run rehearse", () => {
  test("--json prints one object per stack and line, with the steps of an edit, and leaves nothing behind", async () => {
    const edit = join(folder, "edit.yaml");
    await writeFile(edit, "hybrid-k3s:kubernetes: { drainTimeout: 10m }\n");
    const { stdout, stderr, exitCode } = await rehearse("dev", "--json", "--edit", edit, "--destroy");
    expect(exitCode).toBe(0);
    expect(stderr).toContain("SIMULATED");
    const lines = stdout.split("\n");
    expect(lines).toHaveLength(1);
    const report = JSON.parse(lines[0]!) as Record<string, unknown>;
    expect(report).toMatchObject({
      stack: "dev",
      engine: expect.stringMatching(/^pulumi v3\./) as string,
      plugins: { command: "stand-in", random: "stand-in", tls: "stand-in", kubernetes: "stand-in" },
      nodes: [
        { name: "dev-agent", role: "agent", site: "workstation" },
        { name: "dev-server", role: "server", site: "workstation" },
      ],
      secondPreview: "clean",
      publicRules: [],
      guardrails: [{ id: "single-server", severity: "warn", outcome: "warned" }],
      edit: { steps: { create: 0, update: 2, replace: 0, delete: 0 }, secondPreview: "clean" },
      destroy: { steps: { create: 0, update: 0, replace: 0 }, left: [] },
    });
    expect(await leftBehind()).toEqual([]);
  });

  test("without a name it is prod; several stacks run one after another in one world, a line each", async () => {
    const [alone, both] = [await rehearse("--json"), await rehearse("dev", "prod", "--json")];
    const reports = [...alone.stdout.split("\n"), ...both.stdout.split("\n")].map(
      (line) => JSON.parse(line) as { stack: string; secondPreview: string; order: string[]; releases: object[] },
    );
    expect([alone.exitCode, both.exitCode]).toEqual([0, 0]);
    expect(reports.map(({ stack, secondPreview }) => `${stack} ${secondPreview}`)).toEqual([
      "prod clean",
      "dev clean",
      "prod clean",
    ]);
    const chain = ["tokyo-a-k3s", "tokyo-a-member", "tokyo-c-k3s", "tokyo-c-member", "tokyo-d-k3s", "tokyo-d-member"];
    expect(reports[0]!.order.filter((name) => chain.includes(name))).toEqual(chain);
    expect(reports[0]!.releases).toContainEqual(
      expect.objectContaining({ name: "cert-manager", namespace: "cert-manager" }),
    );
  });

  test("a refusal is printed, and the exit code is 1", async () => {
    const edit = join(folder, "refused.yaml");
    await writeFile(edit, "hybrid-k3s:kubernetes: { version: v1.35.0+k3s1 }\n");
    const { stdout, exitCode } = await rehearse("dev", "--edit", edit);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("guardrail refuses this update. Nothing was touched.");
    expect(stdout).toContain("version-downgrade");
    expect(await leftBehind()).toEqual([]);
  });

  test.each([
    [["--nonsense"], "Unknown option '--nonsense'"],
    [["nowhere"], "there is no Pulumi.nowhere.yaml"],
    [["--plugins", "some"], "--plugins: found some · allowed official, stand-in"],
    [["--edit", "/nowhere.yaml"], "--edit /nowhere.yaml: ENOENT"],
  ])("%j is wrong usage", async (words, message) => {
    const { stderr, exitCode } = await rehearse(...words);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });

  test("an interrupt ends it, and leaves nothing behind", async () => {
    const running = rehearse("prod");
    for await (const line of running) if (line.startsWith("up …")) break;
    running.kill("SIGINT");
    const { exitCode } = await running;
    expect(exitCode).toBe(1);
    expect(await leftBehind()).toEqual([]);
  });
});
