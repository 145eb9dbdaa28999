import { formatPath, problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** Servers keep the addresses of their LAN: etcd's members talk to each other there. */
export const etcdOverMesh: Guardrail = {
  id: "etcd-over-mesh",
  reason:
    "etcd's members talk to each other on their node addresses: in the mesh it would lose its leader with the mesh",
  severity: "refuse",
  check: ({ mesh, sites }) =>
    sites.flatMap(({ name, nodeAddresses, machines }) => {
      const servers = machines.filter(({ role }) => role === "server").map((machine) => machine.name);
      if (nodeAddresses === "lan" || servers.length === 0) return [];
      return [
        problemText(`${formatPath(["sites", name])}.nodeAddresses`, `mesh, with servers: ${servers.join(", ")}`, {
          allowed: "lan on the site of the servers; mesh on sites of agents alone",
          fix:
            mesh.provider === "netbird"
              ? "remove it, and renumber the LANs that share a range"
              : "remove it, and write nodeAddresses: mesh on the sites that share this one's LAN range",
        }),
      ];
    }),
};
