import type { z } from "zod";
import { wholeNumber, type Rule } from "../../strict-schema.ts";
import { defineRelease, type Values } from "../release.ts";
import { flag, releaseSettings, secretText, url, word } from "../release-settings.ts";
import { RESTRICTED_CONTAINER, RESTRICTED_POD } from "../security-context.ts";
import { spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { resourcesOf, type Requests } from "../workload.ts";

const RULES = {
  concurrent: { allowed: "a whole number from 1 to 100", fix: "write how many jobs may run at once" },
} as const satisfies Record<string, Rule>;

const REQUESTS: Requests = { cpu: 20, memory: 96 };
/** What a job gets that says nothing: enough for a small one, and never a whole machine. */
const JOB = { cpu: "200m", memory: "256Mi", memoryLimit: "2Gi" } as const;
/** Beside each job, what fetches its repository and keeps its artifacts. */
const HELPER = { cpu: "50m", memory: "64Mi" } as const;

const schema = releaseSettings({
  url: url().default("https://gitlab.com").describe("Address of GitLab"),
  token: secretText().describe("The runner's authentication token (`glrt-…`), encrypted"),
  concurrent: wholeNumber(RULES.concurrent, 1, 100).default(4).describe("Jobs that run at once"),
  image: word().default("debian:13-slim").describe("Image of jobs that name none"),
  buildkit: flag().default(false).describe("Whether jobs find BuildKit: needs `buildkit`, and sets BUILDKIT_HOST"),
});
type Settings = z.output<typeof schema>;

const TOKEN = "gitlab-runner-token";

const spotOf = (topology: Topology, { place }: Settings) => spotFor(topology, place, "anywhere");
const text = (value: string): string => JSON.stringify(value);

/** https://docs.gitlab.com/runner/executors/kubernetes/ */
function configuration(topology: Topology, settings: Settings): string {
  const selector = Object.entries(spotOf(topology, settings).nodeSelector);
  return [
    "[[runners]]",
    '  executor = "kubernetes"',
    ...(settings.buildkit ? [`  environment = [${text("BUILDKIT_HOST=tcp://buildkit.buildkit.svc:1234")}]`] : []),
    "  [runners.kubernetes]",
    '    namespace = "gitlab-runner"',
    `    image = ${text(settings.image)}`,
    // No job is root on the machine, whatever its file says.
    "    privileged = false",
    "    allow_privilege_escalation = false",
    `    cpu_request = ${text(JOB.cpu)}`,
    `    memory_request = ${text(JOB.memory)}`,
    `    memory_limit = ${text(JOB.memoryLimit)}`,
    `    helper_cpu_request = ${text(HELPER.cpu)}`,
    `    helper_memory_request = ${text(HELPER.memory)}`,
    ...(selector.length === 0
      ? []
      : [
          "    [runners.kubernetes.node_selector]",
          ...selector.map(([key, value]) => `      ${text(key)} = ${text(value)}`),
        ]),
    "",
  ].join("\n");
}

function values(topology: Topology, settings: Settings): Values {
  return {
    // The chart adds the version to the name otherwise, and every upgrade would be another runner.
    fullnameOverride: "gitlab-runner",
    gitlabUrl: settings.url,
    concurrent: settings.concurrent,
    // A runner that is named by its token is the same one when it comes back.
    unregisterRunners: false,
    rbac: {
      create: true,
      // The chart gives it every right in its namespace; this is what the executor uses.
      // https://docs.gitlab.com/runner/executors/kubernetes/#configure-runner-api-permissions
      rules: [
        { apiGroups: [""], resources: ["events"], verbs: ["list", "watch"] },
        { apiGroups: [""], resources: ["pods"], verbs: ["create", "delete", "get", "list", "watch"] },
        { apiGroups: [""], resources: ["pods/attach", "pods/exec"], verbs: ["create", "delete", "get", "patch"] },
        { apiGroups: [""], resources: ["pods/log"], verbs: ["get", "list"] },
        { apiGroups: [""], resources: ["secrets"], verbs: ["create", "delete", "get", "update"] },
        { apiGroups: [""], resources: ["serviceaccounts"], verbs: ["get"] },
        { apiGroups: [""], resources: ["services"], verbs: ["create", "get"] },
      ],
    },
    serviceAccount: { create: true },
    runners: { secret: TOKEN, config: configuration(topology, settings) },
    podSecurityContext: { ...RESTRICTED_POD, runAsUser: 100, fsGroup: 65533 },
    securityContext: { ...RESTRICTED_CONTAINER, runAsNonRoot: true, privileged: false },
    resources: resourcesOf(REQUESTS, 256),
    nodeSelector: spotOf(topology, settings).nodeSelector,
    // Jobs that run are waited for when it goes; the chart gives them an hour, which is longer than an update waits.
    terminationGracePeriodSeconds: 300,
  };
}

/** GitLab Runner: jobs of GitLab as pods of the cluster. */
export const gitlabRunner = defineRelease({
  name: "gitlab-runner",
  section: "Builds",
  summary: "runs GitLab's jobs as pods of its own namespace, without root on the machine",
  home: "https://docs.gitlab.com/runner/install/kubernetes/",
  kind: "chart",
  namespace: "gitlab-runner",
  // Jobs are usually root in their container.
  podSecurity: "baseline",
  timeoutSeconds: 600,
  schema,
  needs: ({ buildkit }) => (buildkit ? ["buildkit"] : []),
  values,
  workloads: (topology, settings) => [
    { name: "gitlab-runner", replicas: 1, requests: REQUESTS, spot: spotOf(topology, settings) },
  ],
  podAnnotations: (podAnnotations) => ({ podAnnotations }),
  // The chart reads the older registration token from the same Secret, and needs the key to be there.
  secrets: (_topology, { token }) => [
    { name: TOKEN, entries: { "runner-token": { text: token }, "runner-registration-token": { text: "" } } },
  ],
});
