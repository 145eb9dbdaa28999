import type { ReleaseDefinition } from "./release.ts";
import { admissionPolicies } from "./releases/admission-policies.ts";
import { alloy } from "./releases/alloy.ts";
import { argoCd } from "./releases/argo-cd.ts";
import { argocdImageUpdater } from "./releases/argocd-image-updater.ts";
import { buildkit } from "./releases/buildkit.ts";
import { cassandra } from "./releases/cassandra.ts";
import { certManager } from "./releases/cert-manager.ts";
import { cloudnativePg } from "./releases/cloudnative-pg.ts";
import { crowdsec } from "./releases/crowdsec.ts";
import { envoyGateway } from "./releases/envoy-gateway.ts";
import { externalSecrets } from "./releases/external-secrets.ts";
import { garage } from "./releases/garage.ts";
import { gitlabRunner } from "./releases/gitlab-runner.ts";
import { hcloudCsi } from "./releases/hcloud-csi.ts";
import { headlamp } from "./releases/headlamp.ts";
import { k8ssandraOperator } from "./releases/k8ssandra-operator.ts";
import { keda } from "./releases/keda.ts";
import { keycloak } from "./releases/keycloak.ts";
import { kubePrometheusStack } from "./releases/kube-prometheus-stack.ts";
import { kyverno } from "./releases/kyverno.ts";
import { loki } from "./releases/loki.ts";
import { longhorn } from "./releases/longhorn.ts";
import { nats } from "./releases/nats.ts";
import { netbirdOperator } from "./releases/netbird-operator.ts";
import { networkPolicies } from "./releases/network-policies.ts";
import { nodeLocalDns } from "./releases/node-local-dns.ts";
import { openbao } from "./releases/openbao.ts";
import { openebs } from "./releases/openebs.ts";
import { pgedge } from "./releases/pgedge.ts";
import { pluginBarmanCloud } from "./releases/plugin-barman-cloud.ts";
import { postgres } from "./releases/postgres.ts";
import { reloader } from "./releases/reloader.ts";
import { sealedSecrets } from "./releases/sealed-secrets.ts";
import { tailscaleOperator } from "./releases/tailscale-operator.ts";
import { traefik } from "./releases/traefik.ts";
import { valkey } from "./releases/valkey.ts";
import { vault } from "./releases/vault.ts";
import { velero } from "./releases/velero.ts";

/** Every release that this version knows, each after those that it needs. A further one is its own file and a line here. */
export const CATALOGUE: readonly ReleaseDefinition[] = [
  certManager,
  externalSecrets,
  sealedSecrets,
  crowdsec,
  traefik,
  envoyGateway,
  nodeLocalDns,
  openebs,
  longhorn,
  hcloudCsi,
  cloudnativePg,
  pluginBarmanCloud,
  postgres,
  pgedge,
  nats,
  k8ssandraOperator,
  cassandra,
  valkey,
  garage,
  kubePrometheusStack,
  loki,
  alloy,
  keycloak,
  openbao,
  vault,
  argoCd,
  argocdImageUpdater,
  networkPolicies,
  admissionPolicies,
  kyverno,
  velero,
  reloader,
  keda,
  buildkit,
  gitlabRunner,
  tailscaleOperator,
  netbirdOperator,
  headlamp,
];
