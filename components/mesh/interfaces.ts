/** Interface of each mesh's client on hosts. */
export const MESH_INTERFACES = { tailscale: "tailscale0", netbird: "wt0" } as const;
