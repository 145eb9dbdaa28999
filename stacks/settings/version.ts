const RELEASE = /^v1\.(?<minor>\d+)\.(?<patch>\d+)(?:-rc(?<candidate>\d+))?\+k3s(?<build>\d+)$/;

/** A k3s release, taken apart: `v1.36.3+k3s1` is minor 36, patch 3, build 1. Major is always 1. */
export interface K3sVersion {
  readonly minor: number;
  readonly patch: number;
  /** Number of the release candidate; infinite for the release itself, which comes after all of them. */
  readonly candidate: number;
  readonly build: number;
}

/** Reads a k3s release's name, such as `v1.36.3+k3s1` or `v1.36.3-rc2+k3s1`; undefined if it is not one. */
export function parseK3sVersion(text: string): K3sVersion | undefined {
  const groups = RELEASE.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { minor, patch, candidate, build } = groups;
  return {
    minor: Number(minor),
    patch: Number(patch),
    candidate: candidate === undefined ? Infinity : Number(candidate),
    build: Number(build),
  };
}

/** Negative if `one` is the older release, positive if it is the newer one, 0 if they are the same. */
export function compareK3sVersions(one: K3sVersion, other: K3sVersion): number {
  for (const part of ["minor", "patch", "candidate", "build"] as const) {
    if (one[part] !== other[part]) return one[part] < other[part] ? -1 : 1;
  }
  return 0;
}
