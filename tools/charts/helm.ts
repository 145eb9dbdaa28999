import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { ChartPin } from "../../components/platform/chart-pin.ts";
import { cacheFolder } from "../toolchain/effects.ts";
import { yamlText } from "../../components/yaml-text.ts";

/** Kubernetes that charts are rendered for. */
export const KUBERNETES_VERSION = "1.36.3";

/** What Helm printed, or why it did not. */
export type Rendering = { readonly manifests: string } | { readonly failure: string };

/** Whether there is a Helm to render with. */
export async function helmVersion(): Promise<string | undefined> {
  const asked = await execa("helm", ["version", "--template", "{{.Version}}"], { reject: false, stdin: "ignore" });
  return asked.exitCode === 0 ? asked.stdout.trim() : undefined;
}

/**
 * A chart on this computer: from a folder that has it as `<release>/` or as `<chart>-<version>.tgz`, else from the
 * cache, else from its repository.
 * @returns its path, or why there is none
 */
export async function chartPath(
  release: string,
  pin: ChartPin,
  folder: string | undefined,
): Promise<{ path: string } | { failure: string }> {
  const archive = `${pin.chart}-${pin.version}.tgz`;
  const cache = join(cacheFolder(), "charts");
  const candidates = [
    ...(folder === undefined ? [] : [join(folder, release), join(folder, archive)]),
    join(cache, archive),
  ];
  const found = candidates.find((path) => existsSync(path.endsWith(".tgz") ? path : join(path, "Chart.yaml")));
  if (found !== undefined) return { path: found };
  mkdirSync(cache, { recursive: true });
  const source = pin.repository.startsWith("oci://")
    ? [`${pin.repository}/${pin.chart}`]
    : [pin.chart, "--repo", pin.repository];
  const pulled = await execa("helm", ["pull", ...source, "--version", pin.version, "--destination", cache], {
    reject: false,
    stdin: "ignore",
    timeout: 120_000,
  });
  if (pulled.exitCode === 0) return { path: join(cache, archive) };
  return { failure: `could not be fetched: ${pulled.stderr.trim().split("\n").at(-1)?.slice(0, 200) ?? "no answer"}` };
}

/** What is wrong with an archive: its digest is not the recorded one. Folders have none. */
export function wrongDigest(path: string, { sha256 }: ChartPin): string | undefined {
  if (!path.endsWith(".tgz") || sha256 === "") return undefined;
  const found = createHash("sha256").update(readFileSync(path)).digest("hex");
  return found === sha256
    ? undefined
    : `${path}: found sha256:${found} · allowed sha256:${sha256}, as versions.yaml has it · fix: delete the file, or find out who changed the chart`;
}

/** The version that a chart on this computer has. */
export async function chartVersion(path: string): Promise<string> {
  const { stdout } = await execa("helm", ["show", "chart", path], { stdin: "ignore" });
  return /^version: *"?([^"\s]+)"?$/m.exec(stdout)?.[1] ?? "unknown";
}

/** Renders a chart with values; Helm itself checks them against the chart's values.schema.json. */
export async function renderChart(
  path: string,
  release: { readonly name: string; readonly namespace: string },
  values: unknown,
): Promise<Rendering> {
  const rendered = await execa(
    "helm",
    [
      "template",
      release.name,
      path,
      "--namespace",
      release.namespace,
      "--kube-version",
      KUBERNETES_VERSION,
      "--values",
      "-",
    ],
    {
      reject: false,
      input: yamlText(values),
      timeout: 120_000,
      maxBuffer: 100_000_000,
    },
  );
  if (rendered.exitCode === 0) return { manifests: rendered.stdout };
  return { failure: rendered.stderr.trim().split("\n").slice(0, 6).join(" · ").slice(0, 600) };
}
