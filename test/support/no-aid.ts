import type { ReleaseAid } from "../../components/platform/release-aid.ts";

/** Aid that finds nothing to do. */
export const noAid: ReleaseAid = {
  clearPending: () => Promise.resolve({ removed: [], recordsLeft: true }),
  deleteHeldPods: () => Promise.resolve([]),
  troubles: () => Promise.resolve([]),
};
