import { z } from "zod";
import { saying } from "../../strict-schema.ts";
import { noValues } from "../no-values.ts";
import { defineRelease, type Manifest } from "../release.ts";
import { kubernetesName, PLATFORM_RULES, releaseSettings, size, word } from "../release-settings.ts";
import { type Spot, spotFor } from "../spot.ts";
import { resourcesOf, type Requests } from "../workload.ts";

/** What builds ask for while they run is more than this: it is what is kept free for them. */
const REQUESTS: Requests = { cpu: 250, memory: 512 };
const LIMIT = 4096;
const PORT = 1234;
const IMAGE = "moby/buildkit:v0.31.0-rootless";
/**
 * Ubuntu has kept namespaces from users without root since 24.04, whatever a pod's own profile says; other kernels do not
 * know the setting. https://github.com/moby/buildkit/blob/v0.31.0/docs/rootless.md#ubuntu-2404-or-later
 */
const KERNEL = ["kernel.apparmor_restrict_unprivileged_userns=0"];
const LABELS = { "app.kubernetes.io/name": "buildkit" };
const metadata = { name: "buildkit", namespace: "buildkit" };
const CHECK = { exec: { command: ["buildctl", "debug", "workers"] }, periodSeconds: 30 };

const schema = releaseSettings({
  from: z
    .array(kubernetesName(), saying(PLATFORM_RULES.names))
    .default([])
    .describe("Namespaces whose pods may build, beside gitlab-runner's: who reaches it may run what they like in it"),
  size: size().prefault("20GiB").describe("Volume for layers that later builds use again"),
  storageClass: word().optional().describe("Its StorageClass; left out: the cluster's default"),
});
type Settings = z.output<typeof schema>;

const service: Manifest = {
  apiVersion: "v1",
  kind: "Service",
  metadata,
  spec: { selector: LABELS, ports: [{ name: "tcp", port: PORT, targetPort: PORT }] },
};

/** It asks nobody who they are: only those who are named get there. */
const access = (from: readonly string[]): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata,
  spec: {
    podSelector: {},
    policyTypes: ["Ingress"],
    ingress: [
      {
        from: [
          {
            namespaceSelector: {
              matchExpressions: [
                { key: "kubernetes.io/metadata.name", operator: "In", values: ["gitlab-runner", ...from] },
              ],
            },
          },
        ],
        ports: [{ port: PORT }],
      },
    ],
  },
});

const container = {
  name: "buildkit",
  image: IMAGE,
  args: [
    "--addr=unix:///run/user/1000/buildkit/buildkitd.sock",
    `--addr=tcp://0.0.0.0:${PORT}`,
    // Without root it cannot hide the processes of one build step from another.
    "--oci-worker-no-process-sandbox",
  ],
  ports: [{ name: "tcp", containerPort: PORT }],
  readinessProbe: CHECK,
  livenessProbe: { ...CHECK, initialDelaySeconds: 30 },
  resources: resourcesOf(REQUESTS, LIMIT),
  // It makes namespaces and mounts of its own, which the usual profiles forbid.
  // https://github.com/moby/buildkit/blob/v0.31.0/docs/rootless.md
  securityContext: {
    runAsUser: 1000,
    runAsGroup: 1000,
    seccompProfile: { type: "Unconfined" },
    appArmorProfile: { type: "Unconfined" },
  },
  volumeMounts: [{ name: "layers", mountPath: "/home/user/.local/share/buildkit" }],
};

const daemon = ({ nodeSelector }: Spot, settings: Settings): Manifest => ({
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata,
  spec: {
    serviceName: "buildkit",
    replicas: 1,
    selector: { matchLabels: LABELS },
    // A volume without a build in it is worth nothing: it goes with the release.
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Delete" },
    template: {
      metadata: { labels: LABELS },
      spec: {
        automountServiceAccountToken: false,
        nodeSelector,
        // Files of later builds belong to the users of their images: to go through all of them at each start takes minutes, and
        // changes their groups and modes.
        securityContext: { fsGroup: 1000, fsGroupChangePolicy: "OnRootMismatch" },
        containers: [container],
      },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: "layers" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          ...(settings.storageClass === undefined ? {} : { storageClassName: settings.storageClass }),
          resources: { requests: { storage: `${settings.size}Gi` } },
        },
      },
    ],
  },
});

/** BuildKit: builds images in the cluster, without root. */
export const buildkit = defineRelease({
  name: "buildkit",
  section: "Builds",
  summary:
    "builds images in the cluster without root, at tcp://buildkit.buildkit.svc:1234, in place of Kaniko, which is archived; where it may run, Ubuntu's machines let every user make namespaces: `place` with a pool keeps that to a few",
  home: "https://github.com/moby/buildkit/blob/master/docs/rootless.md",
  kind: "objects",
  namespace: "buildkit",
  // Its seccomp and AppArmor profiles are none, which lower levels do not allow. It is not root on the machine.
  podSecurity: "privileged",
  timeoutSeconds: 600,
  schema,
  values: () => ({}),
  workloads: (topology, { place, size: volumeGiB }) => [
    {
      name: "buildkit",
      replicas: 1,
      requests: REQUESTS,
      spot: spotFor(topology, place, "steady"),
      volumeGiB,
      kernel: KERNEL,
    },
  ],
  objects: (topology, settings) => [
    service,
    access(settings.from),
    daemon(spotFor(topology, settings.place, "steady"), settings),
  ],
  problems: (_topology, { values }) => noValues(values, "platform.buildkit.size, from or place"),
});
