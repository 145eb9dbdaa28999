import { describe, it } from "vitest";
import { hostsAreRequired, prerequisites } from "./prerequisites.ts";

/**
 * A group of tests on real hosts. Where hosts cannot run, it is skipped and its title says why; in CI, as root, it fails
 * instead: a machine set up for hosts that tests none must not look green.
 */
export function describeHosts(name: string, body: () => void): void {
  const missing = prerequisites();
  if (missing.length === 0) describe(name, body);
  else if (hostsAreRequired()) {
    describe(name, () => {
      it("can boot hosts on this machine", () => {
        throw new Error(`hosts cannot run here: missing ${missing.join(", ")}`);
      });
    });
  } else describe.skip(`${name} · skipped: this machine has no ${missing.join(", ")}`, body);
}
