import { prerequisites } from "../../test/support/lab/prerequisites.ts";

/** Whether the hosts level can run here, and what the closing table says about it. */
export interface HostsLevel {
  readonly run: boolean;
  readonly note: string;
}

/** Says what keeps the hosts level from running on this machine, or which k3s it will use. */
export function hostsLevel(): HostsLevel {
  const missing = prerequisites();
  if (missing.length > 0) return { run: false, note: `needs ${missing.join(", ")}` };
  const binary = process.env["K3S_BINARY"] ?? "";
  return {
    run: true,
    note:
      binary === "" ? "k3s: a stand-in that records calls (set K3S_BINARY for the real one)" : `k3s: real, ${binary}`,
  };
}
