import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, chmod, constants, copyFile, mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { execa } from "execa";
import { locked } from "./lock.ts";
import type { ToolchainEffects } from "./resolve.ts";

/** How long the checksum file may take: long enough for a slow line, short enough to notice that there is none. In ms. */
const REACHABLE_BUDGET = 8_000;
/** How long the archive (about 50 MB) may take, in ms. */
const DOWNLOAD_BUDGET = 180_000;
/** How long a build may take, in ms: 3.5 minutes were measured on two cores. */
const BUILD_BUDGET = 30 * 60_000;

const RELEASES = "https://get.pulumi.com/releases/sdk";

/** The folder of this project's per-user cache; XDG_CACHE_HOME is respected. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment["XDG_CACHE_HOME"];
  return join(base !== undefined && base !== "" ? base : join(homedir(), ".cache"), "hybrid-k3s");
}

/** Every executable of this name in the folders of PATH, first one first. */
export async function executablesOnPath(name: string, path = process.env["PATH"] ?? ""): Promise<string[]> {
  const found: string[] = [];
  for (const folder of path.split(delimiter).filter((entry) => entry !== "")) {
    const candidate = join(folder, name);
    const runs = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs && (await stat(candidate)).isFile()) found.push(candidate);
  }
  return found;
}

/** Puts a finished file in its place in one step, so that no other run ever sees half of it. */
async function place(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const partial = `${to}.${process.pid}.partial`;
  try {
    await copyFile(from, partial);
    await chmod(partial, 0o755);
    await rename(partial, to);
  } finally {
    await rm(partial, { force: true });
  }
}

async function fetched(url: string, budget: number): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(budget) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new Error(`${url} could not be reached (${cause})`, { cause: error });
  }
  if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
  return response;
}

/** The digest that the release's checksum file states for a file: exactly one line must name it. */
export function publishedDigest(checksums: string, file: string): string {
  const digests = checksums
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, name]) => name === file || name === `*${file}`)
    .map(([digest]) => digest);
  if (digests.length !== 1 || !/^[0-9a-f]{64}$/.test(digests[0] ?? "")) {
    throw new Error(`the checksum file has ${digests.length} usable lines for ${file}; exactly one is needed`);
  }
  return digests[0] as string;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

async function download(version: string, to: string, say: (line: string) => void): Promise<void> {
  const architecture = { x64: "x64", arm64: "arm64" }[process.arch as string];
  const system = { linux: "linux", darwin: "darwin" }[process.platform as string];
  if (architecture === undefined || system === undefined) {
    throw new Error(`there is no official archive for ${process.platform} on ${process.arch}`);
  }
  const file = `pulumi-v${version}-${system}-${architecture}.tar.gz`;
  say(
    `downloading ${file} from get.pulumi.com (about 50 MB; gives up after ${REACHABLE_BUDGET / 1000} s without an answer)`,
  );
  const checksums = await (await fetched(`${RELEASES}/pulumi-${version}-checksums.txt`, REACHABLE_BUDGET)).text();
  const expected = publishedDigest(checksums, file);
  const work = await mkdtemp(join(tmpdir(), "hybrid-k3s-cli-"));
  try {
    const archive = join(work, file);
    const { body } = await fetched(`${RELEASES}/${file}`, DOWNLOAD_BUDGET);
    await writeFile(archive, Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]));
    const found = await sha256(archive);
    if (found !== expected) throw new Error(`${file} has SHA-256 ${found}; the release states ${expected}`);
    await execa("tar", ["-xzf", archive, "-C", work, "pulumi/pulumi"]);
    await place(join(work, "pulumi", "pulumi"), to);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function build(version: string, to: string, say: (line: string) => void): Promise<void> {
  if ((await executablesOnPath("go")).length === 0) throw new Error("there is no go on PATH");
  say(`building the Pulumi CLI v${version} from the Go module proxy: about 4 minutes on two cores, once per computer`);
  const work = await mkdtemp(join(tmpdir(), "hybrid-k3s-cli-"));
  const started = Date.now();
  const pulse = setInterval(() => say(`  still building, ${Math.round((Date.now() - started) / 1000)} s`), 30_000);
  try {
    const output = join(work, "pulumi");
    const versionFlag = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`;
    await execa(
      "go",
      [
        "build",
        "-trimpath",
        "-ldflags",
        `-s -w ${versionFlag}`,
        "-o",
        output,
        "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
      ],
      { cwd: join(import.meta.dirname, "pulumi-cli"), env: { CGO_ENABLED: "0" }, timeout: BUILD_BUDGET },
    );
    await place(output, to);
    say(`built in ${Math.round((Date.now() - started) / 1000)} s`);
  } catch (error) {
    const lines = error instanceof Error && "stderr" in error ? String(error.stderr).trim().split("\n").slice(-3) : [];
    throw new Error(`go build failed${lines.length > 0 ? `:\n    ${lines.join("\n    ")}` : ""}`, { cause: error });
  } finally {
    clearInterval(pulse);
    await rm(work, { recursive: true, force: true });
  }
}

/** The real effects: this computer's PATH, cache, network and Go. */
export function realEffects(say: (line: string) => void): ToolchainEffects {
  const folder = cacheFolder();
  return {
    onPath: (name) => executablesOnPath(name),
    versionOf: async (path) => {
      const result = await execa(path, ["version"], {
        env: { PULUMI_SKIP_UPDATE_CHECK: "true" },
        timeout: 30_000,
        reject: false,
      });
      return result.exitCode === 0 ? result.stdout : undefined;
    },
    cachePath: (version) => join(folder, `pulumi-${version}`, "pulumi"),
    download: (version, to) => download(version, to, say),
    build: (version, to) => build(version, to, say),
    locked: (run) =>
      locked(
        {
          path: join(folder, "toolchain.lock"),
          does: "installing the Pulumi CLI",
          longest: BUILD_BUDGET + DOWNLOAD_BUDGET,
          say,
        },
        run,
      ),
    say,
  };
}
