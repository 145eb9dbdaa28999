/** A site of a region, as far as its mesh needs to know it. Plain values. */
export interface MeshSite {
  readonly name: string;
  /** The LAN that its machines share, CIDR. */
  readonly lan: string;
  /** Whether its machines' addresses on the LAN are carried into the mesh; else the mesh's own are the nodes'. */
  readonly carriesLan: boolean;
}

/** The LANs of other sites that a site's machines reach through the mesh, each once. */
export const otherLans = (sites: readonly MeshSite[], name: string): readonly string[] => {
  const own = sites.find((site) => site.name === name)?.lan;
  const others = sites.filter((site) => site.name !== name && site.carriesLan && site.lan !== own);
  return [...new Set(others.map(({ lan }) => lan))].sort();
};
