import { RunError } from "@pulumi/pulumi";
import { CATALOGUE } from "../components/platform/catalogue.ts";
import type { WantedRelease } from "../components/platform/helm-release.ts";
import { present } from "../components/present.ts";
import type { RegionSettings } from "./region-settings.ts";
import type { Versions } from "./versions.ts";

/**
 * The releases of a region in the catalogue's order, with what versions.yaml pins of them.
 * @throws RunError if versions.yaml has no entry for one that has a chart
 */
export const wantedReleases = ({ platform, encrypted }: RegionSettings, versions: Versions): WantedRelease[] =>
  CATALOGUE.flatMap((definition) => {
    const settings = platform[definition.name];
    if (settings === undefined) return [];
    const chart = versions.releases[definition.name];
    if (chart === undefined && definition.kind === "chart") {
      throw new RunError(
        `versions.yaml: found no releases.${definition.name} · allowed: an entry for every release in use · fix: restore versions.yaml`,
      );
    }
    const secret = encrypted.includes("platform");
    return [present({ definition, settings, userValues: settings.values, secret, chart })];
  });
