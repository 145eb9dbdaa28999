import { globSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { pin } from "./pin/pin.ts";
import { askServerTypes, recordServerTypes } from "./pin/server-types.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const file = new URL("../versions.yaml", import.meta.url);
const catalogue = new URL("../components/hetzner/server-types.json", import.meta.url);

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

try {
  const stacks = globSync("Pulumi.*.yaml", { cwd: root });
  const versions = [...new Set(stacks.map(versionOf).filter((version) => version !== undefined))].sort();
  const pinned = await pin(readFileSync(file, "utf8"), versions, download);
  writeFileSync(file, pinned.text);
  for (const line of pinned.lines) console.log(line);
  const token = process.env["HCLOUD_TOKEN"];
  if (token === undefined) {
    console.error("server types of Hetzner Cloud stay as they are: no HCLOUD_TOKEN");
  } else {
    const types = await askServerTypes(token);
    const date = new Date().toISOString().slice(0, 10);
    writeFileSync(catalogue, recordServerTypes(readFileSync(catalogue, "utf8"), types, date));
    console.log(`Hetzner Cloud: ${types.length} server types recorded`);
  }
} catch (error) {
  const cause = (error as { cause?: Error }).cause?.message;
  console.error(
    `nothing was recorded: ${(error as Error).message}${cause === undefined ? "" : ` (${cause})`} · fix: npm run pin needs the internet`,
  );
  process.exitCode = 1;
}
