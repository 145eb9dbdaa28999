import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { stringify } from "yaml";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunRecord } from "../../rehearsal/engine/steps.ts";
import { describeSteps } from "../../rehearsal/engine/steps.ts";
import type { WantedRelease } from "../../components/platform/helm-release.ts";
import { admissionPolicies } from "../../components/platform/releases/admission-policies.ts";
import { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { releaseAid } from "../../stacks/release-aid.ts";
import { declareRegion } from "../../stacks/region.ts";
import { loadLoginKey, loadSettings } from "../../stacks/settings.ts";
import { readVersions } from "../../stacks/versions.ts";
import { findPlugins } from "../../tools/toolchain/plugins.ts";
import { ChartRepository } from "../support/lab/chart-repository.ts";
import { childrenNamed } from "../support/lab/child-processes.ts";
import { describeHosts } from "../support/lab/describe-hosts.ts";
import { k3sUnderTest } from "../support/lab/k3s-under-test.ts";
import { createLab, type Lab } from "../support/lab/lab.ts";
import { labPlan } from "../support/lab/lab-sites.ts";
import { ledgerCrds, wantedLedger } from "../support/lab/ledger.ts";
import { MIRROR_URL } from "../support/lab/mirror.ts";
import { regionSettings } from "../support/lab/region-settings.ts";
import { eventually } from "../support/lab/run.ts";

const PLUGIN = "pulumi-resource-kubernetes";
const CHART = fileURLToPath(new URL("../fixtures/charts/ledger", import.meta.url));
const CRDS = "ledger-crds.yaml";
/** What the release has come to once it was upgraded. */
const LATEST = { chart: "1.1.0", objectVersion: "v2", page: "two" } as const;
const RELEASE = "workstation-ledger";
const VOLUME = {
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name: "ledger" },
  spec: {
    capacity: { storage: "16Mi" },
    accessModes: ["ReadWriteOnce"],
    persistentVolumeReclaimPolicy: "Retain",
    claimRef: { namespace: "ledger", name: "pages-ledger-0" },
    local: { path: "/var/lib/ledger" },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["agent-a"] }] },
        ],
      },
    },
  },
};

const podWith = (container: object, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "tried" },
  spec: { containers: [{ name: "tried", ...container }], ...spec },
});
const wantedPolicies = (): WantedRelease => ({
  definition: admissionPolicies,
  settings: admissionPolicies.schema.parse({ enforce: true, except: ["ledger"] }),
  userValues: {},
  secret: false,
});

const { real, version, podImage, publish } = k3sUnderTest();
const plugin = (await findPlugins()).find(({ name }) => name === "kubernetes");
const missing = [
  ...(real ? [] : ["K3S_BINARY, a real k3s"]),
  ...(podImage === undefined ? ["K3S_IMAGES, an archive of images"] : []),
  ...(plugin === undefined ? [`${PLUGIN} on PATH or in Pulumi's plugin folder`] : []),
];

const TITLE = "a release in a real cluster, through the official plugin";
if (missing.length > 0)
  describe.skip(`${TITLE} · skipped: this machine has no ${missing.join(", ")}`, () => it("lives"));
else describeHosts(TITLE, lifeOfARelease);

function lifeOfARelease(): void {
  let lab: Lab;
  let charts: ChartRepository;
  let rehearsal: Rehearsal;
  type Wish = Partial<Parameters<typeof wantedLedger>[0]>;
  let policies = false;
  let wish: (Wish & { readonly chart?: string }) | undefined;

  const kubectl = async (command: string): Promise<string> =>
    (await lab.exec("server-a", `k3s kubectl ${command}`, { seconds: 120 })).stdout.trim();
  const said = ({ failure, messages }: RunRecord): string =>
    [failure ?? "", ...messages.map(({ text }) => text)].join("\n");

  const program: PulumiFn = () => {
    const config = new pulumi.Config("hybrid-k3s");
    const { chart = "1.0.0", ...settings } = wish ?? {};
    const pin = { version: chart, repository: charts.url, crds: `${MIRROR_URL}/${CRDS}` };
    const ledger = wantedLedger({ image: podImage ?? "", word: "first", ...settings }, pin);
    const region = declareRegion({
      settings: loadSettings(config),
      versions: readVersions(),
      login: loadLoginKey(config),
      meshCredentials: {},
      releases: [...(policies ? [wantedPolicies()] : []), ...(wish === undefined ? [] : [ledger])],
      releaseAid,
    });
    return Promise.resolve(region);
  };
  const crds = (...versions: string[]): void => writeFileSync(join(lab.mirror, CRDS), ledgerCrds(versions));

  /** An update that must succeed and leave a clean preview; returns its steps. */
  async function settle(next: typeof wish): Promise<string[]> {
    wish = next;
    const record = await rehearsal.up();
    expect(record.failure, said(record)).toBeUndefined();
    const second = await rehearsal.preview();
    expect(describeSteps(second.steps), said(second)).toEqual([]);
    return describeSteps(record.steps);
  }

  /** An update that must fail; returns all that it says. */
  async function broken(next: typeof wish): Promise<string> {
    wish = next;
    const record = await rehearsal.up();
    expect(record.failure, said(record)).toBeDefined();
    return said(record);
  }

  /** An update whose plugin is killed while Helm has the release in a state. */
  async function killedDuring(state: string, next: Exclude<typeof wish, undefined>): Promise<void> {
    wish = next;
    const running = rehearsal.up();
    await eventually(`a release that is ${state}`, { seconds: 60, every: 1 }, async () =>
      (await states()).includes(state) ? true : undefined,
    );
    for (const id of childrenNamed(PLUGIN)) process.kill(id, "SIGKILL");
    const record = await running;
    console.log(said(record));
    expect(record.failure).toBeDefined();
    expect(await states()).toContain(state);
  }

  const words = async (): Promise<string> => kubectl("exec -n ledger ledger-0 -- cat /pages/words");
  const states = async (): Promise<string> =>
    kubectl("get secret -n ledger -l owner=helm -o 'jsonpath={.items[*].metadata.labels.status}'");

  /** What the API server says of a pod; none is made. */
  const attempted = async (pod: object, namespace = "open"): Promise<string> => {
    const options = { input: stringify(pod), mayFail: true } as const;
    const { stdout, stderr } = await lab.exec(
      "server-a",
      `k3s kubectl create -n ${namespace} --dry-run=server -f -`,
      options,
    );
    return `${stdout}${stderr}`;
  };

  /** The volume that the release's claim takes: what is in its folder stays. */
  async function offerVolume(): Promise<void> {
    await kubectl("delete pv ledger --ignore-not-found");
    await lab.exec("server-a", "k3s kubectl apply -f -", { input: stringify(VOLUME) });
  }

  beforeAll(async () => {
    lab = await createLab(labPlan(1, 1));
    publish(lab);
    charts = await ChartRepository.start(join(lab.folder, "charts"));
    for (const each of ["1.0.0", "1.1.0"]) charts.publish(CHART, "ledger", each);
    crds("v1");
    // The plugin leaves kubeconfigs in the temporary folder; this one goes with the lab.
    vi.stubEnv("TMPDIR", lab.folder);
    rehearsal = await Rehearsal.open({
      stack: "lab",
      settingsText: stringify({ config: regionSettings(lab, version) }),
      secrets: { "hybrid-k3s:sshPrivateKey": lab.privateKey },
      backend: "ssh",
      plugins: "official",
      // A plugin that is killed leaves what was saved before.
      checkpoints: true,
      program,
      say: console.log,
    });
    console.log(rehearsal.providers.map(({ name, description }) => `${name}: ${description}`).join("\n"));
    await settle(undefined);
    await lab.exec("agent-a", "mkdir -p /var/lib/ledger");
    await offerVolume();
  });
  afterAll(async () => {
    await rehearsal.close();
    charts.close();
    vi.unstubAllEnvs();
    lab.close();
  });

  it("refuses the preview while the repository is down, before anything is made", async () => {
    charts.answer(false);
    wish = {};
    const { failure } = await rehearsal.preview();
    charts.answer(true);
    console.log(failure);
    expect(failure).toContain(RELEASE);
    expect(await kubectl("get namespaces -o name")).not.toContain("ledger");
  });

  it("installs: kinds, then hooks and the stateful set, then an object of its kind", async () => {
    const steps = await settle({});
    console.log(steps);
    expect(await words()).toBe("first");
    expect(await kubectl("get pod -n ledger -l hook -o 'jsonpath={.items[*].metadata.labels}'")).toContain("before");
    expect(await kubectl("get pages -n ledger main -o 'jsonpath={.spec.text}'")).toBe("one");
    expect(await states()).toBe("deployed");
  });

  it("says which of the user's values the chart does not take, and leaves what runs", async () => {
    const problem = await broken({ values: { colour: "red" } });
    console.log(problem);
    expect(problem).toContain("colour");
    expect(await words()).toBe("first");
    expect(await states()).toBe("deployed");
  });

  it("upgrades: what it wrote is still there, and its hooks ran again", async () => {
    crds("v1", "v2");
    const steps = await settle({ ...LATEST, word: "second" });
    console.log(steps);
    expect(await words()).toBe("first\nsecond");
    expect(await kubectl("get pages.v2.lab.hybrid-k3s.io -n ledger main -o 'jsonpath={.spec.text}'")).toBe("two");
  });

  it("says what the API has against kinds without a version that objects are kept in, and changes nothing", async () => {
    crds("v2", "v3");
    const problem = await broken({ chart: "1.0.0", word: "third", objectVersion: "v2", page: "two" });
    console.log(problem);
    expect(problem).toContain("the API refused the CRDs of ledger");
    expect(problem).toContain("status.storedVersions");
    expect(await words()).toBe("first\nsecond");
    crds("v1", "v2");
  });

  it("fails while its pods are not ready, says so, and recovers with the next settings", async () => {
    const problem = await broken({ ...LATEST, word: "third", ready: false });
    console.log(problem);
    expect(problem).toContain(RELEASE);
    await settle({ ...LATEST, word: "fourth" });
    expect(await words()).toMatch(/^first\nsecond\n(third\n)?fourth$/);
  });

  it("is freed by the next run when the plugin was killed in the middle of an upgrade", async () => {
    await killedDuring("pending-upgrade", { ...LATEST, word: "fifth", ready: false });
    wish = { ...LATEST, word: "sixth" };
    const next = await rehearsal.up();
    console.log(said(next));
    expect(next.failure, said(next)).toBeUndefined();
    expect(said(next)).toContain("was left half-done by an interrupted update");
    expect(await words()).toMatch(/sixth$/);
    await settle(wish);
  });

  it("waits for an object that something holds back, says so, and goes on when it is let go", async () => {
    await kubectl(`patch page -n ledger main --type merge -p '{"metadata":{"finalizers":["lab.hybrid-k3s.io/held"]}}'`);
    const problem = await broken({ ...LATEST, word: "sixth", objects: false });
    console.log(problem);
    expect(problem).toContain("inalizer");
    await kubectl(`patch page -n ledger main --type merge -p '{"metadata":{"finalizers":null}}'`);
    await settle({ ...LATEST, word: "sixth", objects: false });
  });

  it("goes, and leaves its kinds and what a volume keeps", async () => {
    const steps = await settle(undefined);
    console.log(steps);
    expect(await kubectl("get namespaces -o name")).not.toContain("ledger");
    expect(await kubectl("get crd pages.lab.hybrid-k3s.io -o name")).toContain("pages");
  });

  it("is freed by the next run when the plugin was killed in the middle of its first install", async () => {
    await offerVolume();
    await killedDuring("pending-install", { ...LATEST, ready: false });
    wish = { ...LATEST, word: "again" };
    const next = await rehearsal.up();
    console.log(said(next));
    expect(next.failure, said(next)).toBeUndefined();
    expect(said(next)).toContain("was left half-done by an interrupted update");
    // The volume was kept when the release went, and with it what is in it.
    expect(await words()).toMatch(/^first\n(.*\n)*again$/);
    await settle(wish);
  });

  it("has pods refused that break the rules for them, and no others", async () => {
    policies = true;
    await settle(wish);
    const warnings = "jsonpath={.items[*].status.typeChecking.expressionWarnings}";
    expect(await kubectl(`get validatingadmissionpolicies -o '${warnings}'`)).toBe("");
    // Elsewhere the level of pod security refuses the pod for other reasons first.
    await kubectl("create namespace open");
    await kubectl("label namespace open pod-security.kubernetes.io/enforce=privileged");
    const requests = { requests: { cpu: "10m", memory: "16Mi" } };
    // The API server takes a moment to go by new rules.
    const refused = await eventually("a refusal", { seconds: 60, every: 2 }, async () => {
      const text = await attempted(podWith({ image: "busybox", resources: requests }));
      return text.includes("denied") ? text : undefined;
    });
    expect(refused).toContain("write a version or a digest");
    expect(refused).toContain("hybrid-k3s-image-tag");
    const hostPath = { volumes: [{ name: "host", hostPath: { path: "/" } }] };
    expect(await attempted(podWith({ image: "registry:5000/busybox", resources: requests }))).toContain(
      "a version or a digest",
    );
    expect(await attempted(podWith({ image: "busybox:latest", resources: requests }))).toContain(
      "a version or a digest",
    );
    expect(await attempted(podWith({ image: "busybox:1.36" }))).toContain("no requests for cpu and memory");
    expect(await attempted(podWith({ image: "busybox:1.36", resources: requests }, hostPath))).toContain("hostPath");
    for (const image of ["busybox:1.36", "registry:5000/busybox:1.36", `busybox@sha256:${"a".repeat(64)}`])
      expect(await attempted(podWith({ image, resources: requests }))).toContain("created");
    expect(await attempted(podWith({ image: "busybox" }), "kube-system")).toContain("created");
  });

  it("goes with its cluster, which is destroyed", async () => {
    const { failure } = await rehearsal.destroy();
    expect(failure).toBeUndefined();
  });
}
