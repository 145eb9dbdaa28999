import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { choosePlugins, pluginsAtHome } from "../../rehearsal/plugin-choice.ts";
import type { RegionSettings } from "../../stacks/region-settings.ts";
import { cacheFolder, executablesOnPath, realEffects } from "../../tools/toolchain/effects.ts";
import { findPlugins } from "../../tools/toolchain/plugins.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hybrid-k3s-test-"));
  vi.stubEnv("XDG_CACHE_HOME", folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function executable(path: string, text = "#!/bin/sh\nexit 1\n"): Promise<string> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

describe("the lock", () => {
  test("keeps two installations apart", async () => {
    const { locked } = realEffects(() => undefined);
    const order: string[] = [];
    const work = (name: string) => async (): Promise<void> => {
      order.push(`${name} begins`);
      await sleep(50);
      order.push(`${name} ends`);
    };
    await Promise.all([locked(work("one")), locked(work("two"))]);
    expect(order.map((line) => line.split(" ")[1])).toEqual(["begins", "ends", "begins", "ends"]);
    expect(await readdir(join(folder, "hybrid-k3s"))).toEqual([]);
  });

  test("of a process that died is taken over, and one that fails gives it back", async () => {
    await mkdir(join(folder, "hybrid-k3s"));
    await writeFile(join(folder, "hybrid-k3s", "toolchain.lock"), "2147483000\n");
    const { locked } = realEffects(() => undefined);
    await expect(locked(() => Promise.reject(new Error("no network")))).rejects.toThrow("no network");
    expect(await readdir(join(folder, "hybrid-k3s"))).toEqual([]);
  });
});

test("the cache is in XDG_CACHE_HOME, else in ~/.cache", () => {
  expect(cacheFolder({ XDG_CACHE_HOME: "/x" })).toBe("/x/hybrid-k3s");
  expect(cacheFolder({})).toMatch(/\/\.cache\/hybrid-k3s$/);
});

test("executables are found in the order of PATH; folders and plain files are not", async () => {
  const [one, two] = [await executable(join(folder, "a", "tool")), await executable(join(folder, "b", "tool"))];
  await mkdir(join(folder, "c", "tool"), { recursive: true });
  await mkdir(join(folder, "d"));
  await writeFile(join(folder, "d", "tool"), "");
  const path = ["c", "d", "a", "nowhere", "b"].map((name) => join(folder, name)).join(":");
  expect(await executablesOnPath("tool", path)).toEqual([one, two]);
});

describe("official plugins", () => {
  test("are found on PATH, else as the newest in Pulumi's own folder", async () => {
    const command = await executable(join(folder, "bin", "pulumi-resource-command"), "#!/bin/sh\necho v1.2.1\n");
    await executable(join(folder, "home", "plugins", "resource-random-v4.9.0", "pulumi-resource-random"));
    const random = await executable(
      join(folder, "home", "plugins", "resource-random-v4.21.2", "pulumi-resource-random"),
    );
    expect(await findPlugins({ PATH: join(folder, "bin"), PULUMI_HOME: join(folder, "home") })).toEqual([
      { name: "command", path: command, version: "1.2.1" },
      { name: "random", path: random, version: "4.21.2" },
    ]);
  });

  const found = [
    { name: "command", path: "/bin/pulumi-resource-command", version: "1.2.1" },
    { name: "random", path: "/bin/pulumi-resource-random" },
  ] as const;

  test("that are pointed at this computer are used in a simulated world too", () => {
    const settings = (apiEndpoint?: string): RegionSettings =>
      ({ sites: [{ provider: "hetzner", ...(apiEndpoint === undefined ? {} : { apiEndpoint }) }] }) as never;
    expect(pluginsAtHome(undefined)).toEqual(new Set());
    expect(pluginsAtHome(settings())).toEqual(new Set());
    expect(pluginsAtHome(settings("https://api.example.net/v1"))).toEqual(new Set());
    const home = pluginsAtHome(settings("http://127.0.0.1:8899/v1"));
    expect(home).toEqual(new Set(["hcloud"]));
    const plugin = { name: "hcloud", path: "/bin/pulumi-resource-hcloud" } as const;
    expect(choosePlugins([plugin], "simulated", home).find(({ name }) => name === "hcloud")).toHaveProperty("plugin");
    expect(choosePlugins([plugin], "simulated").find(({ name }) => name === "hcloud")).not.toHaveProperty("plugin");
  });

  test("that reach out to hosts stay played in a simulated world, and the report says so", () => {
    expect(choosePlugins(found, "simulated").map(({ name, description }) => `${name}: ${description}`)).toEqual([
      "command: stand-in (v1.2.1 /bin/pulumi-resource-command is here, but would reach out to real hosts)",
      "random: /bin/pulumi-resource-random",
      "tls: stand-in",
      "kubernetes: stand-in",
      "aws: stand-in",
      "hcloud: stand-in",
    ]);
  });

  test("are all used against real hosts", () => {
    expect(choosePlugins(found, "ssh").filter(({ plugin }) => plugin !== undefined)).toHaveLength(2);
  });
});
