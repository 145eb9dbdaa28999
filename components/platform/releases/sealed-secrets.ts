import type { z } from "zod";
import { defineRelease } from "../release.ts";
import { days, releaseSettings } from "../release-settings.ts";
import { spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const REQUESTS = { cpu: 10, memory: 48 } as const satisfies Requests;

const schema = releaseSettings({
  keyRenewal: days()
    .default(30)
    .describe(
      "Days after which it makes a further key to seal with; it keeps all earlier ones. Back up each where no cluster is needed to read it: `kubectl get secret --namespace sealed-secrets --selector sealedsecrets.bitnami.com/sealed-secrets-key --output yaml`. Without them, what is sealed in Git is lost with the cluster",
    ),
});
type Settings = z.output<typeof schema>;

const spotOf = (topology: Topology, { place }: Settings) => spotFor(topology, place, "anywhere");

/** Sealed Secrets: Secrets that may stand in Git, for only the cluster can open them. */
export const sealedSecrets = defineRelease({
  name: "sealed-secrets",
  section: "Certificates and secrets",
  summary: "opens Secrets that stand sealed in Git; its keys are the one thing of it that needs a backup",
  home: "https://github.com/bitnami/sealed-secrets",
  kind: "chart",
  namespace: "sealed-secrets",
  podSecurity: "restricted",
  timeoutSeconds: 300,
  schema,
  values: (topology, settings) => ({
    // The name that kubeseal looks for; it needs `--controller-namespace sealed-secrets` beside it.
    fullnameOverride: "sealed-secrets-controller",
    keyrenewperiod: `${24 * settings.keyRenewal}h`,
    nodeSelector: { "kubernetes.io/os": "linux", ...spotOf(topology, settings).nodeSelector },
    resources: resourcesOf(REQUESTS, 128),
  }),
  // It has no election of one among several.
  workloads: (topology, settings) => [
    { name: "controller", replicas: 1, requests: REQUESTS, spot: spotOf(topology, settings) },
  ],
});
