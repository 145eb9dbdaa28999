import { cidrsOverlap } from "../../components/network/cidr.ts";
import type { RegionSettings, SiteSettings } from "../region-settings.ts";
import { formatPath, problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

const agentsOnly = ({ machines }: SiteSettings): boolean => machines.every(({ role }) => role === "agent");
const pathOf = ({ name }: SiteSettings): string => formatPath(["sites", name]);

const carriesLan = ({ nodeAddresses }: SiteSettings): boolean => nodeAddresses === "lan";

/**
 * NetBird asks the host's own routes before its own (rule 105), and no setting changes that: whoever stands on a LAN finds
 * no node of another site that has an address of its range. https://github.com/netbirdio/netbird/blob/v0.77.1/client/internal/routemanager/systemops/systemops_linux.go
 */
const ownLanFirst = ({ mesh }: RegionSettings): boolean => mesh.provider === "netbird";

/**
 * Every Mac's VMs get their addresses from the start of one range: two Macs give out the same ones, and who has an address
 * itself never asks for another node that has it. https://github.com/lima-vm/socket_vmnet#how-to-use-static-ip-addresses
 */
const sameAddresses = (one: SiteSettings, other: SiteSettings): boolean =>
  one.provider === "lima" && other.provider === "lima";

function finding(settings: RegionSettings, one: SiteSettings, other: SiteSettings): string {
  // The one that can take mesh addresses gives way; where both can, the later one.
  const [stays, moves] = agentsOnly(other) || !agentsOnly(one) ? [one, other] : [other, one];
  const renumber = `renumber ${pathOf(moves)}.lan ${moves.lan}`;
  const found = `${moves.lan}, which overlaps ${pathOf(stays)}.lan ${stays.lan}`;
  if (ownLanFirst(settings)) {
    const allowed = "LANs apart: with NetBird a host looks for all addresses of its LAN's range there";
    return problemText(`${pathOf(moves)}.lan`, found, { allowed, fix: renumber });
  }
  if (sameAddresses(one, other)) {
    const allowed =
      "LANs apart, or nodeAddresses: mesh on both: VMs of two computers get the same addresses of a range";
    return problemText(`${pathOf(moves)}.lan`, found, { allowed, fix: renumber });
  }
  return problemText(`${pathOf(moves)}.lan`, found, {
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
  check: (settings) => {
    const { mesh, sites } = settings;
    if (mesh.provider === "none") return [];
    const collide = (one: SiteSettings, other: SiteSettings): boolean =>
      cidrsOverlap(one.lan, other.lan) &&
      (ownLanFirst(settings) || sameAddresses(one, other)
        ? carriesLan(one) || carriesLan(other)
        : carriesLan(one) && carriesLan(other));
    return sites.flatMap((one, index) =>
      sites
        .slice(index + 1)
        .filter((other) => collide(one, other))
        .map((other) => finding(settings, one, other)),
    );
  },
};
