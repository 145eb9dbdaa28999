/** The version that is downloaded or built, and that the rehearsal's stand-ins were measured with. */
export const CLI_VERSION = "3.259.0";

/** The oldest CLI that runs this project: from it on every provider's errors reach error hooks, which free a held release. */
export const OLDEST_CLI = "3.244.0";

/** Where a CLI came from, in the order in which the places are tried. */
export type CliSource = "PATH" | "cache" | "download" | "build";

/** A Pulumi CLI that can be run. */
export interface Cli {
  /** Absolute path of the executable. */
  readonly path: string;
  /** Version without a leading v, such as `3.259.0`. */
  readonly version: string;
  readonly source: CliSource;
}

/** What the resolution does to the outside world; tests put in their own. */
export interface ToolchainEffects {
  /** Every executable file of this name in the folders of PATH, first one first. */
  readonly onPath: (name: string) => Promise<readonly string[]>;
  /** What `<path> version` prints; undefined if it does not run. */
  readonly versionOf: (path: string) => Promise<string | undefined>;
  /** Where the CLI of this version stands in the per-user cache, whether it exists or not. */
  readonly cachePath: (version: string) => string;
  /** Fetches and verifies the official archive. @throws Error that says why not */
  readonly download: (version: string, to: string) => Promise<void>;
  /** Builds the CLI from its Go module. @throws Error that says why not */
  readonly build: (version: string, to: string) => Promise<void>;
  /** Runs one installation at a time on this computer. */
  readonly locked: <T>(run: () => Promise<T>) => Promise<T>;
  /** Tells the person who waits what happens. */
  readonly say: (line: string) => void;
}

/** No usable CLI was found or made. The message lists everything that was tried. */
export class ToolchainError extends Error {
  override readonly name = "ToolchainError";
}

/** Reads `3.259.0` out of `v3.259.0` or of `v3.259.0-dev.1+abc`; undefined if there is no version in the text. */
export function parseVersion(text: string | undefined): string | undefined {
  return /^v?(\d+\.\d+\.\d+)/.exec(text?.trim() ?? "")?.[1];
}

/** Whether version `a` is at least version `b`; both as `1.2.3`. */
export function atLeast(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (let index = 0; index < 3; index++) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A CLI that was found but cannot be used says why; one that does not run is as good as absent. */
async function judge(effects: ToolchainEffects, path: string): Promise<{ version?: string; why: string }> {
  const version = parseVersion(await effects.versionOf(path));
  if (version === undefined) return { why: `${path} does not run or prints no version` };
  if (!atLeast(version, OLDEST_CLI)) return { why: `${path} is v${version}; v${OLDEST_CLI} or newer is needed` };
  return { version, why: "" };
}

async function install(effects: ToolchainEffects, source: "download" | "build", to: string): Promise<Cli> {
  await effects[source](CLI_VERSION, to);
  const { version, why } = await judge(effects, to);
  if (version === undefined) throw new Error(why);
  return { path: to, version, source };
}

/**
 * Finds a Pulumi CLI or makes one: `pulumi` on PATH, the per-user cache, the official download, a build from the Go
 * module, in this order. The first that is usable wins; what is older than {@link OLDEST_CLI} is passed over.
 * @throws ToolchainError that lists what was tried and how to fix it
 */
export async function resolveCli(effects: ToolchainEffects): Promise<Cli> {
  const tried: string[] = [];
  const onPath = await effects.onPath("pulumi");
  if (onPath.length === 0) tried.push("PATH: no pulumi");
  for (const path of onPath) {
    const { version, why } = await judge(effects, path);
    if (version !== undefined) return { path, version, source: "PATH" };
    tried.push(`PATH: ${why}`);
  }

  const cached = effects.cachePath(CLI_VERSION);
  const fromCache = async (): Promise<Cli | string> => {
    const { version, why } = await judge(effects, cached);
    return version === undefined ? why : { path: cached, version, source: "cache" };
  };
  const early = await fromCache();
  if (typeof early !== "string") return early;
  tried.push(`cache: ${early}`);

  return effects.locked(async () => {
    // Another run may have put it there while this one waited for the lock.
    const late = await fromCache();
    if (typeof late !== "string") return late;
    for (const source of ["download", "build"] as const) {
      try {
        return await install(effects, source, cached);
      } catch (error) {
        tried.push(`${source}: ${reason(error)}`);
        effects.say(`${source} did not work: ${reason(error)}`);
      }
    }
    throw new ToolchainError(
      [
        `No usable Pulumi CLI (v${OLDEST_CLI} or newer). Tried:`,
        ...tried.map((line) => `  ${line}`),
        "Fix: install it (https://www.pulumi.com/docs/install/) so that `pulumi version` works, or install Go and run npm run toolchain again.",
      ].join("\n"),
    );
  });
}
