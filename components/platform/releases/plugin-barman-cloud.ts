import type { z } from "zod";
import { defineRelease } from "../release.ts";
import { releaseSettings } from "../release-settings.ts";
import { spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const REQUESTS: Requests = { cpu: 20, memory: 64 };

const schema = releaseSettings({});
type Settings = z.output<typeof schema>;

const spotOf = (topology: Topology, settings: Settings) => spotFor(topology, settings.place, "steady");

/** The Barman Cloud plugin of CloudNativePG: backups and write-ahead logs to a bucket. */
export const pluginBarmanCloud = defineRelease({
  name: "plugin-barman-cloud",
  section: "Databases and messaging",
  summary: "CloudNativePG's plugin for backups to a bucket and restores to any second of them",
  home: "https://cloudnative-pg.io/plugin-barman-cloud/docs/intro/",
  kind: "chart",
  // The operator finds plugins by Services in its own namespace; that one is made with it.
  namespace: "cnpg-system",
  podSecurity: "existing",
  timeoutSeconds: 600,
  schema,
  // cert-manager signs the certificates that the operator and the plugin know each other by.
  needs: () => ["cert-manager", "cloudnative-pg"],
  values: (topology, settings) => ({
    // The CRD is applied on its own, so that it is upgraded and so that it stays.
    crds: { create: false },
    nodeSelector: spotOf(topology, settings).nodeSelector,
    resources: resourcesOf(REQUESTS, 256),
  }),
  // Its deployment is always recreated and cannot have a second replica that helps.
  workloads: (topology, settings) => [
    { name: "plugin", replicas: 1, requests: REQUESTS, spot: spotOf(topology, settings) },
  ],
});
