import { formatPath, problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** VMs of another computer have addresses that only it knows; the API of servers among them needs a way of its own. */
export const apiOutOfReach: Guardrail = {
  id: "api-out-of-reach",
  reason: "VMs of another computer have addresses that it alone knows: releases could not reach their API",
  severity: "refuse",
  check: (settings) =>
    settings.sites.flatMap((site) => {
      if (site.provider !== "lima" || site.host === undefined || settings.kubernetes.endpoint !== undefined) return [];
      const servers = site.machines.filter(({ role }) => role === "server").map(({ name }) => name);
      if (servers.length === 0) return [];
      return [
        problemText(formatPath(["sites", site.name]), `servers on another computer's VMs: ${servers.join(", ")}`, {
          allowed: "agents there, or kubernetes.endpoint with a name or address that leads to their port 6443",
          fix: `forward port 6443 of ${site.host.host} to them and set kubernetes.endpoint, or make them agents`,
        }),
      ];
    }),
};
