import { serveProvider, type ServedProvider } from "../../provider/protocol/serve.ts";
import type { Step } from "../../provider/protocol/resource-type.ts";
import { ApiStatus } from "../world/faults.ts";
import type { Disturb, StandIn } from "./stand-in.ts";

/** Disturbs a step as often as the real provider would try it. */
async function disturbed({ retries }: StandIn, disturb: Disturb, step: Step): Promise<void> {
  for (let failed = 0; ; failed++) {
    try {
      await disturb(step);
      return;
    } catch (error) {
      const again = error instanceof ApiStatus ? (retries?.[error.status] ?? 0) : 0;
      if (failed >= again) throw error;
    }
  }
}

/**
 * Serves a stand-in in this process; the engine attaches to it by PULUMI_DEBUG_PROVIDERS instead of starting a plugin.
 * @param disturb called before every step that changes something
 */
export const serveStandIn = (standIn: StandIn, disturb: Disturb): Promise<ServedProvider> =>
  serveProvider({ ...standIn, before: (step) => disturbed(standIn, disturb, step) });
