import type { ReleaseDefinition } from "./definition.ts";

/** What cert-manager's values are made of. */
export interface CertManagerChoices {
  /** Replicas of each of the three deployments. */
  readonly replicas: number;
}

/** cert-manager: certificates for what runs in the cluster. https://cert-manager.io/docs/installation/helm/ */
export const certManager: ReleaseDefinition<CertManagerChoices> = {
  name: "cert-manager",
  namespace: "cert-manager",
  podSecurity: "restricted",
  needs: [],
  timeoutSeconds: 600,
  values: (_topology, { replicas }) => ({
    // The CRDs are applied on their own, so that they are upgraded and so that they stay.
    crds: { enabled: false },
    replicaCount: replicas,
    webhook: { replicaCount: replicas },
    cainjector: { replicaCount: replicas },
    // One region's lease traffic stays in one namespace, and needs no rights in kube-system.
    global: { leaderElection: { namespace: "cert-manager" } },
  }),
};
