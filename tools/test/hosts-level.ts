import { join } from "node:path";
import { existsSync } from "node:fs";
import { hostsAreRequired, prerequisites } from "../../test/support/lab/prerequisites.ts";
import { cacheFolder, executablesOnPath } from "../toolchain/effects.ts";

/** Whether the hosts level can run here, and what the closing table says about it. */
export interface HostsLevel {
  readonly run: boolean;
  readonly note: string;
}

/** The real k3s that is at hand: K3S_BINARY, else PATH, else the per-user cache. */
async function realK3s(): Promise<string | undefined> {
  const cached = join(cacheFolder(), "k3s");
  const places = [process.env["K3S_BINARY"] ?? "", ...(await executablesOnPath("k3s")), cached];
  return places.find((path) => path !== "" && existsSync(path));
}

/** What the real k3s's test lacks here; without it parts of the test are skipped. */
function lacking(): string[] {
  return Object.entries({
    K3S_INSTALLER: "k3s's install.sh; a stand-in installs it",
    K3S_IMAGES: "images for pods; no pod is run",
    K3S_NEXT_BINARY: "a newer k3s; nothing is upgraded",
  })
    .filter(([name]) => (process.env[name] ?? "") === "")
    .map(([name, what]) => `no ${name} (${what})`);
}

/** Says what keeps the hosts level from running on this machine, or which k3s it will use. */
export async function hostsLevel(): Promise<HostsLevel> {
  const missing = prerequisites();
  // Where hosts are required a missing tool fails in the level itself, which names it.
  if (missing.length > 0 && !hostsAreRequired()) return { run: false, note: `needs ${missing.join(", ")}` };
  const binary = await realK3s();
  if (binary === undefined) {
    return { run: true, note: "k3s: a stand-in that records calls (the real one: K3S_BINARY, PATH or the cache)" };
  }
  process.env["K3S_BINARY"] = binary;
  return { run: true, note: [`k3s: real, ${binary}`, ...lacking()].join("; ") };
}
