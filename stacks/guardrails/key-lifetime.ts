import type { SiteSettings } from "../region-settings.ts";
import { formatPath, problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/**
 * How long a machine may take from its key to its joining, by kind. Minutes. Of the clouds': to be made, and ten in which
 * the first boot keeps trying. Of Lima's: an image to fetch and a VM to make (40), and the login. Of hosts that stand: to
 * answer on SSH, and to get the client.
 */
const LEAST_MINUTES: Readonly<Record<SiteSettings["provider"], number>> = {
  existing: 10,
  hetzner: 20,
  lightsail: 20,
  lima: 45,
};

/** A key lives until its machine has joined. */
export const keyLifetime: Guardrail = {
  id: "key-lifetime",
  reason: "a key that ends before its machine has booted lets nobody in: the machine is made, and cannot be reached",
  severity: "refuse",
  check: ({ mesh, sites }) => {
    if (mesh.provider === "none") return [];
    const minutes = mesh.keyLifetimeSeconds / 60;
    const short = sites.filter(({ provider }) => minutes < LEAST_MINUTES[provider]);
    if (short.length === 0) return [];
    const least = Math.max(...short.map(({ provider }) => LEAST_MINUTES[provider]));
    const names = short.map(({ name, provider }) => `${formatPath(["sites", name])} (${provider})`).join(", ");
    return [
      problemText("mesh.keyLifetime", `${Math.floor(minutes * 10) / 10}m`, {
        allowed: `at least ${least}m, for ${names}`,
        fix: `write ${least}m or more, or remove it for 1h: a key is used once, whatever its lifetime`,
      }),
    ];
  },
};
