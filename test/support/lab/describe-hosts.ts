import { describe, it } from "vitest";
import { hostsAreRequired, prerequisites } from "./prerequisites.ts";

/**
 * A group of tests on real hosts. Where hosts cannot run, it is skipped and its title says why; in CI, as root, it fails
 * instead: a machine set up for hosts that tests none must not look green.
 * @param more tools that this group needs beside the usual ones, with what brings each
 */
export function describeHosts(name: string, body: () => void): void;
export function describeHosts(name: string, more: Readonly<Record<string, string>>, body: () => void): void;
export function describeHosts(
  name: string,
  ...rest: [() => void] | [Readonly<Record<string, string>>, () => void]
): void {
  const [more, body] = rest.length === 1 ? [{}, rest[0]] : rest;
  const missing = prerequisites(more);
  if (missing.length === 0) describe(name, body);
  else if (hostsAreRequired()) {
    describe(name, () => {
      it("can boot hosts on this machine", () => {
        throw new Error(`hosts cannot run here: missing ${missing.join(", ")}`);
      });
    });
  } else describe.skip(`${name} · skipped: this machine has no ${missing.join(", ")}`, body);
}
