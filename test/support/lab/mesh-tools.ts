import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { cacheFolder } from "../../../tools/toolchain/effects.ts";
import { locked } from "../../../tools/toolchain/lock.ts";
import { writePackages } from "./mesh-packages.ts";

const MODULE = fileURLToPath(new URL("../mesh-tools/", import.meta.url));

/** The client's version that hosts start with, and the one that they are upgraded to: the same source, stamped anew. */
export const CLIENT_VERSIONS = { first: "1.102.4", next: "1.102.5" } as const;

/** How long the build may take where it has to be made first, in ms: five minutes were measured. */
export const BUILD_BUDGET = 40 * 60_000;

/** The mesh's own programs, built for this machine. */
export interface MeshTools {
  /** headscale's executable. */
  readonly headscale: string;
  /** A package repository as Tailscale's vendor has it, with both versions of the client. */
  readonly packages: string;
}

const build = (folder: string, packages: readonly string[], flags = "") =>
  execa("nice", ["go", "build", "-trimpath", "-ldflags", `-s -w ${flags}`, "-o", `${folder}/`, ...packages], {
    cwd: MODULE,
    // The client's checksums are in go.sum; whoever changes go.mod runs `go mod tidy` there.
    env: { CGO_ENABLED: "0", GOFLAGS: "-mod=mod -buildvcs=false" },
    timeout: BUILD_BUDGET,
  });

async function buildAll(folder: string, say: (line: string) => void): Promise<void> {
  const started = Date.now();
  const seconds = (): number => Math.round((Date.now() - started) / 1000);
  say("building Tailscale and headscale from the Go module proxy: about 5 minutes on two cores, once per computer");
  const pulse = setInterval(() => say(`  still building, ${seconds()} s`), 30_000);
  try {
    await build(join(folder, "bin"), ["github.com/juanfont/headscale/cmd/headscale"]);
    for (const version of Object.values(CLIENT_VERSIONS)) {
      const stamps = ["long", "short"].map((name) => `-X tailscale.com/version.${name}Stamp=${version}`).join(" ");
      const clients = ["tailscale.com/cmd/tailscale", "tailscale.com/cmd/tailscaled"];
      await build(join(folder, "clients", version), clients, stamps);
    }
    // Behind the builds: go knows no folder of a module that it has not downloaded yet.
    const source = (await execa("go", ["list", "-m", "-f", "{{.Dir}}", "tailscale.com"], { cwd: MODULE })).stdout;
    writePackages({ to: join(folder, "packages"), clients: join(folder, "clients"), source });
    say(`built in ${seconds()} s`);
  } finally {
    clearInterval(pulse);
  }
}

/**
 * Tailscale and headscale, built the first time and kept in the user's cache.
 * @throws Error with go's last lines when they cannot be built
 */
export async function meshTools(say: (line: string) => void = console.log): Promise<MeshTools> {
  const hash = createHash("sha256");
  const inputs = ["go.mod", "go.sum"].map((name) => join(MODULE, name));
  for (const path of [...inputs, fileURLToPath(new URL("mesh-packages.ts", import.meta.url))]) {
    hash.update(readFileSync(path));
  }
  const folder = join(cacheFolder(), `mesh-tools-${hash.digest("hex").slice(0, 12)}`);
  const lock = { path: join(cacheFolder(), "mesh-tools.lock"), does: "building Tailscale and headscale", say };
  await locked({ ...lock, longest: BUILD_BUDGET }, async () => {
    if (existsSync(folder)) return;
    const building = `${folder}.building`;
    rmSync(building, { recursive: true, force: true });
    mkdirSync(join(building, "bin"), { recursive: true });
    await buildAll(building, say);
    mkdirSync(dirname(folder), { recursive: true });
    renameSync(building, folder);
  });
  return { headscale: join(folder, "bin", "headscale"), packages: join(folder, "packages") };
}

/** What the mesh's test needs beyond what hosts need. */
export const MESH_PREREQUISITES: Readonly<Record<string, string>> = {
  go: "golang",
  "dpkg-deb": "dpkg",
  gpg: "gnupg",
};
