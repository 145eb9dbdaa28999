import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { shellQuote } from "../../components/host/command-text.ts";
import { scriptFile } from "../../components/host/script-file.ts";
import { programBody } from "../../components/host/script-program.ts";

const CHART = "kind: HelmChart\nspec: { version: 1.20.2 }\n";
const OBJECTS = "kind: CiliumLoadBalancerIPPool\n";
const CA = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

let folder: string;
const put = (name: string, text = ""): void => {
  writeFileSync(join(folder, name), text);
};
const read = (name: string): string => readFileSync(join(folder, name), "utf8");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hybrid-k3s-cilium-"));
  copyFileSync(new URL("../support/fake-kubectl", import.meta.url), join(folder, "k3s"));
  put("server-ca.crt", CA);
  put("ready", "ok");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Runs a script in this folder in place of a server's. */
function run(name: "cni-cilium" | "cilium-pool", action: string, parameters: Record<string, string>) {
  const script = scriptFile(new URL(`../../components/k3s/scripts/${name}.sh`, import.meta.url));
  const body = programBody(script)
    .replaceAll("/usr/local/bin/k3s", join(folder, "k3s"))
    .replaceAll("/etc/rancher/k3s/", `${folder}/`);
  const values = { ACTION: action, SERVER_CA: CA, ...parameters };
  const assignments = Object.entries(values).map(([key, value]) => `${key}=${shellQuote(value)}\n`);
  const { status, stdout, stderr } = spawnSync("bash", ["-s"], {
    input: assignments.join("") + body,
    encoding: "utf8",
  });
  return { status, stdout: stdout.trim(), stderr: stderr.trim() };
}

const install = (more: Record<string, string> = {}) =>
  run("cni-cilium", "apply", { VERSION: "1.20.2", CHART, WAIT_SECONDS: "3", ...more });
const pool = (action: string) => run("cilium-pool", action, { OBJECTS, WAIT_SECONDS: "3" });

describe("the script that installs Cilium", () => {
  test("applies the chart and waits for its job", () => {
    expect(install()).toEqual({ status: 0, stdout: "Cilium 1.20.2 is installed", stderr: "" });
    expect(read("chart").trim()).toBe(CHART.trim());
  });

  test("waits until the API of a first server knows the kind", () => {
    put("no-kind", "1");
    expect(install()).toMatchObject({ status: 0, stdout: "Cilium 1.20.2 is installed" });
  });

  test("changes nothing where nothing is to change, and is content with the job that was", () => {
    install();
    expect(install()).toMatchObject({ status: 0 });
    expect(read("generation")).toBe("1");
  });

  test("does not take the job of the chart before for the one of this chart", () => {
    install();
    put("no-job");
    const { status, stderr } = install({ CHART: CHART.replace("1.20.2", "1.20.3"), VERSION: "1.20.3" });
    expect(status).toBe(1);
    expect(stderr).toContain("Cilium 1.20.3 was not installed: its job has not succeeded after 3 s");
  });

  test("says why a job that does not end does not", () => {
    put("no-success");
    put("log", 'creating\nError: looks like "https://helm.cilium.io/" is not a valid chart repository: no such host\n');
    put("pending", "0/1 nodes are available: 1 node(s) had untolerated taint\n");
    const { status, stderr } = install();
    expect(status).toBe(1);
    expect(stderr.split("\n")).toEqual([
      "Cilium 1.20.2 was not installed: its job has not succeeded after 3 s",
      'Error: looks like "https://helm.cilium.io/" is not a valid chart repository: no such host',
      "0/1 nodes are available: 1 node(s) had untolerated taint",
      "try: k3s kubectl -n kube-system describe helmchart cilium; k3s kubectl -n kube-system logs job/helm-install-cilium; then run again",
    ]);
  });

  test("gives up at once when the job has failed", () => {
    put("no-success");
    put("failed", "True");
    expect(install({ WAIT_SECONDS: "60" }).stderr).toMatch(
      /^Cilium 1\.20\.2 was not installed: its job failed\nits job has said nothing\n/,
    );
  });

  test("says what the API has against the chart", () => {
    put("refuse", 'The HelmChart "cilium" is invalid: spec.version');
    expect(install()).toMatchObject({
      status: 1,
      stderr:
        'the API refused Cilium 1.20.2: The HelmChart "cilium" is invalid: spec.version\nfix: look at kubernetes.cilium; nothing was changed',
    });
  });

  test.each([
    ["is another cluster's", () => put("server-ca.crt", "other"), "this host is no server of this cluster"],
    ["has no API that answers", () => put("ready", "no"), "the API of this server does not answer"],
  ])("passes the work on where the server %s", (_, prepare, said) => {
    prepare();
    expect(install()).toEqual({ status: 69, stdout: "", stderr: said });
    expect(pool("apply")).toEqual({ status: 69, stdout: "", stderr: said });
  });

  test("does not know other work", () => {
    expect(run("cni-cilium", "remove", { VERSION: "1", CHART, WAIT_SECONDS: "1" })).toMatchObject({
      status: 1,
      stderr: "unknown action remove",
    });
  });
});

describe("the script that gives Cilium its addresses", () => {
  test("applies them, and takes them away", () => {
    put("no-kind", "1");
    expect(pool("apply")).toEqual({ status: 0, stdout: "the pool of addresses is there", stderr: "" });
    expect(read("objects").trim()).toBe(OBJECTS.trim());
    expect(pool("remove")).toEqual({ status: 0, stdout: "the pool of addresses is gone", stderr: "" });
    expect(existsSync(join(folder, "objects"))).toBe(false);
  });

  test("says that Cilium's operator has not made the kinds", () => {
    put("no-kind", "99");
    const { status, stderr } = pool("apply");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Cilium does not know pools of addresses after 3 s: .*no matches for kind/);
    expect(stderr).toMatch(/try: k3s kubectl -n kube-system get pods -l name=cilium-operator; then run again$/);
  });

  test("says what the API has against them", () => {
    put("refuse", "blocks: invalid");
    expect(pool("apply").stderr).toContain("the API refused the pool of addresses: blocks: invalid");
    expect(pool("remove").stderr).toContain("could not take the pool of addresses away: blocks: invalid");
  });
});
