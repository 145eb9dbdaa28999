import { z } from "zod";
import { ARGO_NAMESPACE } from "../hand-over.ts";
import { defineRelease } from "../release.ts";
import { email, flag, period, releaseSettings } from "../release-settings.ts";
import { spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const REQUESTS = { cpu: 10, memory: 64 } as const satisfies Requests;

const schema = releaseSettings({
  interval: period().default(120).describe("How often it asks registries for new images"),
  writeKey: flag()
    .default(false)
    .describe(
      "Whether the stack makes a key with which it commits: paste the output publicKeys into the repository as a deploy key that may write, and name git:secret:argocd/image-updater-git as the method of an ImageUpdater",
    ),
  email: email().optional().describe("Address that its commits carry"),
});
type Settings = z.output<typeof schema>;

const spotOf = (topology: Topology, { place }: Settings) => spotFor(topology, place, "anywhere");

/** Argo CD Image Updater: writes new images of applications into the config repository. */
export const argocdImageUpdater = defineRelease({
  name: "argocd-image-updater",
  section: "GitOps",
  summary:
    "looks for new images of what Argo CD deploys, as ImageUpdater objects in the folder of the root application say",
  home: "https://argocd-image-updater.readthedocs.io/en/stable/",
  kind: "chart",
  namespace: ARGO_NAMESPACE,
  // Argo CD's: it looks for applications and their credentials in its own namespace.
  podSecurity: "existing",
  timeoutSeconds: 300,
  schema,
  needs: () => ["argo-cd"],
  values: (topology, settings) => ({
    // The CRD is applied on its own, so that it is upgraded and so that it stays.
    crds: { install: false },
    // The tag is a version: no need to ask the registry at every start.
    image: { pullPolicy: "IfNotPresent" },
    // All applications are in its namespace: it needs no rights in others.
    createClusterRoles: false,
    extraArgs: ["--interval", `${settings.interval}s`],
    ...(settings.email === undefined ? {} : { config: { "git.email": settings.email } }),
    nodeSelector: { "kubernetes.io/os": "linux", ...spotOf(topology, settings).nodeSelector },
    resources: resourcesOf(REQUESTS, 256),
  }),
  // Two of it would commit one change twice.
  workloads: (topology, settings) => [
    { name: "image-updater", replicas: 1, requests: REQUESTS, spot: spotOf(topology, settings) },
  ],
  secrets: (_topology, { writeKey }) =>
    writeKey ? [{ name: "image-updater-git", entries: { sshPrivateKey: { sshKey: "private" as const } } }] : [],
});
