import { formatPath, problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** On a `user-v2` network a server's API is a port of its host, and there is one such port. */
export const userV2Servers: Guardrail = {
  id: "user-v2-servers",
  reason: "VMs on user-v2 have no address of their own outside: port 6443 of their host leads to one server only",
  severity: "refuse",
  check: (settings) =>
    settings.sites.flatMap((site) => {
      if (site.provider !== "lima" || site.network !== "user-v2") return [];
      const servers = site.machines.filter(({ role }) => role === "server");
      if (servers.length < 2) return [];
      return [
        problemText(`${formatPath(["sites", site.name])}.network`, `user-v2 with ${servers.length} servers`, {
          allowed: "one server on user-v2, or network: shared",
          fix: "write network: shared (it needs socket_vmnet on the host), or keep one server",
        }),
      ];
    }),
};
