import { copyFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "./lab.ts";
import { standInRelease } from "./mirror.ts";
import { run } from "./run.ts";

/** The k3s that a test runs with: a real one, where the environment names one, else the stand-in. */
export interface K3sUnderTest {
  readonly real: boolean;
  /** Such as `v1.36.3+k3s1`. */
  readonly version: string;
  /** A later version to go to; undefined where the environment names only one real binary. */
  readonly next: string | undefined;
  /** Name of an image that has a shell and busybox's httpd; undefined where no images are at hand: no pods then. */
  readonly podImage: string | undefined;
  /** Puts it all on a lab's mirror. */
  readonly publish: (lab: Lab) => void;
}

const path = (name: string): string => process.env[name] ?? "";

/** What `k3s --version` says. k3s goes by the name it is called by, whatever the file's own name is. */
function versionOf(binary: string): string {
  const said = run("bash", ["-c", 'exec -a k3s "$0" --version', binary], 60);
  const version = /^k3s version (\S+)/.exec(said)?.[1];
  if (version === undefined) throw new Error(`${binary} --version names no version`);
  return version;
}

/** The first image of a docker archive that is not a pause image. */
function podImageIn(archive: string): string | undefined {
  const manifest = JSON.parse(run("tar", ["-xOf", archive, "manifest.json"], 60)) as { RepoTags?: string[] }[];
  return manifest.flatMap(({ RepoTags = [] }) => RepoTags).find((tag) => !tag.includes("pause"));
}

const STAND_IN: K3sUnderTest = {
  real: false,
  version: "v1.36.3+k3s1",
  next: "v1.36.4+k3s1",
  podImage: undefined,
  publish: (lab) => {
    for (const version of ["v1.36.3+k3s1", "v1.36.4+k3s1"]) {
      lab.publish(standInRelease(join(lab.folder, "releases"), version));
    }
  },
};

/**
 * Reads the environment: `K3S_BINARY` and its `K3S_INSTALLER` (k3s's install.sh), `K3S_NEXT_BINARY` for upgrades and
 * `K3S_IMAGES`, a docker archive with the pause image and one with busybox, for pods.
 * @throws Error if a binary comes without its installer
 */
export function k3sUnderTest(): K3sUnderTest {
  const [binary, nextBinary, installer, images] = [
    path("K3S_BINARY"),
    path("K3S_NEXT_BINARY"),
    path("K3S_INSTALLER"),
    path("K3S_IMAGES"),
  ];
  if (binary === "") return STAND_IN;
  if (installer === "") throw new Error("K3S_BINARY is set, K3S_INSTALLER is not: give the path of k3s's install.sh");
  const version = versionOf(binary);
  const next = nextBinary === "" ? undefined : versionOf(nextBinary);
  return {
    real: true,
    version,
    next,
    podImage: images === "" ? undefined : podImageIn(images),
    publish: (lab) => {
      lab.publish({ version, binary, installer });
      if (next !== undefined) lab.publish({ version: next, binary: nextBinary, installer });
      if (images !== "") copyFileSync(images, join(lab.mirror, "images.tar"));
    },
  };
}
