import { describe, expect, test } from "vitest";
import { publishedDigest } from "../../tools/toolchain/effects.ts";
import {
  atLeast,
  parseVersion,
  resolveCli,
  ToolchainError,
  type ToolchainEffects,
} from "../../tools/toolchain/resolve.ts";

/** A computer: what is on PATH, in the cache, and what can be had. */
function computer({
  onPath = {},
  cached,
  download = "get.pulumi.com could not be reached",
  build = "there is no go on PATH",
}: {
  onPath?: Record<string, string>;
  cached?: string;
  download?: string;
  build?: string;
}) {
  const files: Record<string, string | undefined> = { ...onPath, "/cache/3.259.0/pulumi": cached };
  const done: string[] = [];
  const make = (what: string, answer: string) => (version: string, to: string) => {
    done.push(what);
    if (answer !== "works") return Promise.reject(new Error(answer));
    files[to] = `v${version}`;
    return Promise.resolve();
  };
  const effects: ToolchainEffects = {
    onPath: () => Promise.resolve(Object.keys(onPath)),
    versionOf: (path) => Promise.resolve(files[path]),
    cachePath: (version) => `/cache/${version}/pulumi`,
    download: make("download", download),
    build: make("build", build),
    locked: async (run) => {
      done.push("lock");
      return run();
    },
    say: () => undefined,
  };
  return { effects, done };
}

describe("the order in which a CLI is looked for", () => {
  test.each([
    ["PATH wins", { onPath: { "/usr/bin/pulumi": "v3.260.1" }, cached: "v3.259.0" }, "PATH", []],
    ["too old on PATH: the next on PATH", { onPath: { "/old": "v3.100.0", "/new": "v3.245.0" } }, "PATH", []],
    ["too old on PATH: the cache", { onPath: { "/old": "v3.100.0" }, cached: "v3.259.0" }, "cache", []],
    ["nothing here: the download", { download: "works" }, "download", ["lock", "download"]],
    ["offline: the build", { build: "works" }, "build", ["lock", "download", "build"]],
    ["a broken file in the cache is replaced", { cached: "", download: "works" }, "download", ["lock", "download"]],
  ] as const)("%s", async (_, machine, source, done) => {
    const { effects, done: really } = computer(machine);
    expect((await resolveCli(effects)).source).toBe(source);
    expect(really).toEqual(done);
  });

  test("what another run installed while this one waited for the lock is taken", async () => {
    const { effects, done } = computer({});
    let version: string | undefined;
    const found = await resolveCli({
      ...effects,
      versionOf: () => Promise.resolve(version),
      locked: (run) => {
        version = "v3.259.0";
        return run();
      },
    });
    expect(found).toEqual({ path: "/cache/3.259.0/pulumi", version: "3.259.0", source: "cache" });
    expect(done).toEqual([]);
  });

  test("nothing works: the error lists what was tried, and the fix", async () => {
    const { effects } = computer({ onPath: { "/old": "v3.100.0" } });
    const failure = await resolveCli(effects).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ToolchainError);
    expect((failure as Error).message).toBe(
      [
        "No usable Pulumi CLI (v3.244.0 or newer). Tried:",
        "  PATH: /old is v3.100.0; v3.244.0 or newer is needed",
        "  cache: /cache/3.259.0/pulumi does not run or prints no version",
        "  download: get.pulumi.com could not be reached",
        "  build: there is no go on PATH",
        "Fix: install it (https://www.pulumi.com/docs/install/) so that `pulumi version` works, or install Go and run npm run toolchain again.",
      ].join("\n"),
    );
  });
});

test.each([
  ["v3.259.0\n", "3.259.0"],
  ["3.259.0", "3.259.0"],
  ["v3.259.0-alpha.1+abc", "3.259.0"],
  ["command not found", undefined],
  [undefined, undefined],
])("the version in %j is %j", (text, version) => {
  expect(parseVersion(text)).toBe(version);
});

test.each([
  ["3.200.0", "3.200.0", true],
  ["3.1000.0", "3.200.0", true],
  ["4.0.0", "3.200.0", true],
  ["3.199.9", "3.200.0", false],
])("%s is at least %s: %s", (a, b, answer) => {
  expect(atLeast(a, b)).toBe(answer);
});

describe("the published digest", () => {
  const digest = "a".repeat(64);
  test("is the one line that names the file", () => {
    expect(publishedDigest(`${digest}  pulumi.tar.gz\n${"b".repeat(64)}  other.tar.gz\n`, "pulumi.tar.gz")).toBe(
      digest,
    );
  });
  test.each([
    ["no line", `${digest}  other.tar.gz`],
    ["two lines", `${digest}  pulumi.tar.gz\n${digest}  pulumi.tar.gz`],
    ["not a digest", "abc  pulumi.tar.gz"],
  ])("%s is refused", (_, checksums) => {
    expect(() => publishedDigest(checksums, "pulumi.tar.gz")).toThrow(
      /usable lines for pulumi\.tar\.gz; exactly one is needed/,
    );
  });
});
