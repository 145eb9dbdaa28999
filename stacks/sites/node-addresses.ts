/** Which address is the `node-ip` of a site's machines: the one on its LAN, or the one in the mesh. */
export type NodeAddresses = "lan" | "mesh";
