import { cidrsOverlap } from "../../components/network/cidr.ts";
import type { SiteSettings } from "../region-settings.ts";
import { formatPath, problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

const agentsOnly = ({ machines }: SiteSettings): boolean => machines.every(({ role }) => role === "agent");
const pathOf = ({ name }: SiteSettings): string => formatPath(["sites", name]);

function finding(one: SiteSettings, other: SiteSettings): string {
  // The one that can take mesh addresses gives way; where both can, the later one.
  const [stays, moves] = agentsOnly(other) || !agentsOnly(one) ? [one, other] : [other, one];
  const renumber = `renumber ${pathOf(moves)}.lan ${moves.lan}`;
  return problemText(`${pathOf(moves)}.lan`, `${moves.lan}, which overlaps ${pathOf(stays)}.lan ${stays.lan}`, {
    allowed: "LANs apart, or nodeAddresses: mesh on all but one of the sites that share a range",
    fix: agentsOnly(moves) ? `write ${pathOf(moves)}.nodeAddresses: mesh, or ${renumber}` : renumber,
  });
}

/**
 * With a mesh every node tells the others the way to its own address: of two nodes with one address, one is out of reach.
 * What other regions of the tailnet have for LANs stands in no file here; their policies keep their routes to themselves.
 */
export const lanOverlap: Guardrail = {
  id: "lan-overlap",
  reason: "two sites with one LAN range may give two nodes one address: the mesh leads to one of them only",
  severity: "refuse",
  check: ({ mesh, sites }) => {
    if (mesh.provider === "none") return [];
    const lan = sites.filter(({ nodeAddresses }) => nodeAddresses === "lan");
    return lan.flatMap((one, index) =>
      lan.slice(index + 1).flatMap((other) => (cidrsOverlap(one.lan, other.lan) ? [finding(one, other)] : [])),
    );
  },
};
