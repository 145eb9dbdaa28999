import { cidrsOverlap } from "../network/cidr.ts";

/** A site of a region, as far as its mesh needs to know it. Plain values. */
export interface MeshSite {
  readonly name: string;
  /** The LAN that its machines share, CIDR. */
  readonly lan: string;
  /** Whether its machines' addresses on the LAN are carried into the mesh; else the mesh's own are the nodes'. */
  readonly carriesLan: boolean;
}

/** Other sites whose machines are reached by their addresses on the LAN, through the mesh. */
const othersThatCarry = (sites: readonly MeshSite[], name: string): readonly MeshSite[] =>
  sites.filter((site) => site.name !== name && site.carriesLan);

const overlapsLanOf =
  (sites: readonly MeshSite[], name: string) =>
  ({ lan }: MeshSite): boolean =>
    sites.some((site) => site.name === name && cidrsOverlap(site.lan, lan));

/**
 * The LANs of other sites that a site's machines reach through the mesh or not at all, each once. One that shares its
 * range with the site's own is none of them: its gateway and its name servers would be out of reach with it.
 */
export const otherLans = (sites: readonly MeshSite[], name: string): readonly string[] => {
  const isOwn = overlapsLanOf(sites, name);
  const others = othersThatCarry(sites, name).filter((site) => !isOwn(site));
  return [...new Set(others.map(({ lan }) => lan))].sort();
};

/**
 * Whether what goes to a site's own LAN may be kept off the mesh as a whole. Not where another site carries addresses of
 * that range into it: its nodes are asked for by them, and would be looked for among the neighbours.
 */
export const keepsToLan = (sites: readonly MeshSite[], name: string): boolean =>
  !othersThatCarry(sites, name).some(overlapsLanOf(sites, name));
