import { formatPath, problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** Where SSH comes from outside, also beside a mesh, a machine without a public IPv4 address is reached by IPv6. */
export const ipv4OnlyAccess: Guardrail = {
  id: "ipv4-only-access",
  reason: "a machine without a public IPv4 address is reached on its IPv6 address, where its firewall lets in nobody",
  severity: "refuse",
  check: (settings) =>
    settings.sites.flatMap((site) => {
      if (site.provider !== "hetzner" || site.accessFrom.length === 0) return [];
      if (site.accessFrom.some((range) => range.includes(":"))) return [];
      const without = site.machines.filter(({ publicIpv4 }) => !publicIpv4);
      if (without.length === 0) return [];
      const names = without.map(({ name }) => name).join(", ");
      return [
        problemText(
          `${formatPath(["sites", site.name])}.access.from`,
          `IPv4 ranges only (${site.accessFrom.join(", ")}), and publicIpv4 false for ${names}`,
          {
            allowed: "an IPv6 range among them",
            fix: "add this computer's IPv6 range, such as 2001:db8:1::/64, or set publicIpv4: true",
          },
        ),
      ];
    }),
};
