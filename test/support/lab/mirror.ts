import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync, constants } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where hosts see the mirror. */
export const MIRROR_PATH = "/opt/mirror";

/** Value of the setting `mirror`: the region's hosts take k3s from a folder of their own. */
export const MIRROR_URL = `file://${MIRROR_PATH}`;

/** A k3s release on the mirror. Paths on this machine. */
export interface Release {
  /** Such as `v1.36.3+k3s1`. */
  readonly version: string;
  readonly binary: string;
  readonly installer: string;
}

/** Digests of a release, as `versions.yaml` holds them. */
export interface ReleaseDigests {
  readonly binary: string;
  readonly installer: string;
}

const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

/** Puts a release on the mirror, with the checksum file that a release of k3s has. */
export function publish(mirror: string, release: Release): ReleaseDigests {
  const folder = join(mirror, release.version);
  mkdirSync(folder, { recursive: true });
  copyFileSync(release.binary, join(folder, "k3s"), constants.COPYFILE_FICLONE);
  copyFileSync(release.installer, join(folder, "install.sh"), constants.COPYFILE_FICLONE);
  const digests = { binary: sha256(release.binary), installer: sha256(release.installer) };
  writeFileSync(join(folder, "sha256sum-amd64.txt"), `${digests.binary}  k3s\n`);
  return digests;
}

const standIn = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url));

/**
 * Makes a release of the stand-in for k3s, which has the version that it is given and runs no containers.
 * @param folder where its binary is written; not the mirror itself
 */
export function standInRelease(folder: string, version: string): Release {
  const binary = join(folder, `stand-in-${version}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(binary, readFileSync(standIn("stand-in-k3s"), "utf8").replace("@VERSION@", version), { mode: 0o755 });
  return { version, binary, installer: standIn("stand-in-install.sh") };
}
