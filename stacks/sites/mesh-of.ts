import type { Mesh } from "../../components/mesh/mesh.ts";
import type { NodeAddresses } from "./node-addresses.ts";
import type { SiteContext } from "./site-context.ts";

/** What a site's component is told of the mesh. */
interface SiteMesh {
  readonly mesh?: Mesh;
  readonly meshAddresses?: boolean;
}

/** The mesh that a site's machines join, and whether the address in it is the node's; nothing where there is none. */
export const meshOf = (
  { nodeAddresses }: { readonly nodeAddresses: NodeAddresses },
  { mesh }: Pick<SiteContext, "mesh">,
): SiteMesh => (mesh === undefined ? {} : { mesh, meshAddresses: nodeAddresses === "mesh" });
