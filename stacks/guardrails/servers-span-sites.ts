import { problemText } from "../settings/problem.ts";
import { type Guardrail, serversOf } from "./guardrail.ts";

/** All servers of a region stand on one site. */
export const serversSpanSites: Guardrail = {
  id: "servers-span-sites",
  reason: "etcd needs LAN latency between servers: across sites it loses its leader whenever the link is slow",
  severity: "refuse",
  check: (settings) => {
    const sites = [...new Set(serversOf(settings).map((server) => server.site))];
    if (sites.length < 2) return [];
    return [
      problemText("sites", `servers on ${sites.join(", ")}`, {
        allowed: "all servers of a region on one site",
        fix: "keep the servers of one site and make the others agents",
      }),
    ];
  },
};
