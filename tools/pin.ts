import { globSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { parse } from "yaml";
import { ASK_FOR_BUNDLES, refreshBundles, whyNoAnswer, type AwsAnswer } from "./pin/bundles.ts";
import { pin } from "./pin/pin.ts";
import { askServerTypes, recordServerTypes } from "./pin/server-types.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const versions = new URL("../versions.yaml", import.meta.url);
const bundles = new URL("../components/lightsail/bundles.json", import.meta.url);
const serverTypes = new URL("../components/hetzner/server-types.json", import.meta.url);

const versionOf = (stack: string): string | undefined => {
  const { config } = parse(readFileSync(`${root}/${stack}`, "utf8")) as {
    config?: Record<string, { version?: string }>;
  };
  return config?.["hybrid-k3s:kubernetes"]?.version;
};

async function download(address: string): Promise<Uint8Array> {
  console.error(`fetching ${address}`);
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function pinVersions(): Promise<void> {
  try {
    const stacks = globSync("Pulumi.*.yaml", { cwd: root });
    const used = [...new Set(stacks.map(versionOf).filter((version) => version !== undefined))].sort();
    const pinned = await pin(readFileSync(versions, "utf8"), used, download);
    writeFileSync(versions, pinned.text);
    for (const line of pinned.lines) console.log(line);
  } catch (error) {
    const cause = (error as { cause?: Error }).cause?.message;
    console.error(
      `nothing was recorded: ${(error as Error).message}${cause === undefined ? "" : ` (${cause})`} · fix: npm run pin needs the internet`,
    );
    process.exitCode = 1;
  }
}

async function askAws(): Promise<AwsAnswer> {
  const asked = await execa("aws", [...ASK_FOR_BUNDLES], {
    reject: false,
    timeout: 60_000,
    stdin: "ignore",
    env: { AWS_PAGER: "" },
  });
  return { found: asked.code !== "ENOENT", code: asked.exitCode, stdout: asked.stdout, stderr: asked.stderr };
}

/** Prices are not needed for anything to work: without an account the recorded ones stay, and that is no failure. */
async function pinBundles(): Promise<void> {
  const answer = await askAws();
  const problem = whyNoAnswer(answer);
  if (problem !== undefined) {
    console.error(`Lightsail's bundles stay as they were recorded: ${problem}`);
    return;
  }
  try {
    const pinned = refreshBundles(readFileSync(bundles, "utf8"), answer.stdout, new Date().toISOString().slice(0, 10));
    writeFileSync(bundles, pinned.text);
    for (const line of pinned.lines) console.log(line);
  } catch (error) {
    console.error(`Lightsail's bundles stay as they were recorded: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

/** The same for Hetzner Cloud, whose API needs a token even to be asked for its types. */
async function pinServerTypes(): Promise<void> {
  const token = process.env["HCLOUD_TOKEN"];
  if (token === undefined) {
    console.error("Hetzner's server types stay as they were recorded: there is no HCLOUD_TOKEN");
    return;
  }
  try {
    const types = await askServerTypes(token);
    const date = new Date().toISOString().slice(0, 10);
    writeFileSync(serverTypes, recordServerTypes(readFileSync(serverTypes, "utf8"), types, date));
    console.log(`Hetzner Cloud: ${types.length} server types recorded`);
  } catch (error) {
    console.error(`Hetzner's server types stay as they were recorded: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

await pinVersions();
await pinBundles();
await pinServerTypes();
