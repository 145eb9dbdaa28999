import type { RegionSettings, SiteSettings } from "./region-settings.ts";

/** Ranges whose hosts a site's hosts let in: its own LAN. Without a mesh, the sites' LANs are routed to each other. */
export const lansOf = ({ mesh, sites }: RegionSettings, site: SiteSettings): readonly string[] =>
  mesh.provider === "none" ? sites.map(({ lan }) => lan) : [site.lan];
