import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { handedOverProjects, rootProject } from "../../components/platform/hand-over.ts";
import { gitopsInit } from "../../tools/gitops/gitops-init.ts";
import { skeleton } from "../../tools/gitops/skeleton.ts";
import { permits } from "../support/argo-project.ts";
import { TOPOLOGIES } from "../support/topologies.ts";

const REPOSITORY = "git@github.com:acme/cluster.git";
const FILES = skeleton({ repository: REPOSITORY, revision: "main" });
const TOPS = ["platform", "workloads"] as const;

const set = z.object({
  kind: z.literal("ApplicationSet"),
  metadata: z.object({ name: z.string(), namespace: z.literal("argocd") }),
  spec: z.object({
    generators: z.tuple([
      z.object({
        git: z.object({
          repoURL: z.string(),
          revision: z.string(),
          directories: z.tuple([z.object({ path: z.string() })]),
        }),
      }),
    ]),
    syncPolicy: z.object({ preserveResourcesOnDeletion: z.boolean() }).optional(),
    template: z.object({
      spec: z.object({
        project: z.string(),
        source: z.object({ repoURL: z.string(), targetRevision: z.string(), path: z.string() }),
        destination: z.object({ server: z.string(), namespace: z.string() }),
      }),
    }),
  }),
});
const setOf = (top: string) => set.parse(parseAllDocuments(FILES[`root/${top}.yaml`] ?? "")[0]?.toJS());

describe("the skeleton", () => {
  test.each(Object.keys(FILES).filter((path) => path.endsWith(".yaml")))("%s parses, as one document", (path) => {
    const documents = parseAllDocuments(FILES[path] ?? "");
    expect(documents).toHaveLength(1);
    expect(documents.flatMap((document) => ("errors" in document ? document.errors : []))).toEqual([]);
  });

  test("stays inside of its folder, and leaves nothing to be filled in", () => {
    for (const [path, content] of Object.entries(FILES)) {
      expect(path).toMatch(/^[\w.-]+(\/[\w.-]+)*$/);
      expect(path.split("/")).not.toContain("..");
      expect([path, content.match(/TODO|example\.com|undefined|\$\{|\/work\/|\/home\/|\/tmp\//)]).toEqual([path, null]);
      expect(content.endsWith("\n")).toBe(true);
    }
  });

  test.each(TOPS)(
    "makes an app of each folder in %s/, in the project of that name and in the repository given",
    (top) => {
      const { metadata, spec } = setOf(top);
      const { git } = spec.generators[0];
      expect(metadata.name).toBe(top);
      expect(git).toEqual({ repoURL: REPOSITORY, revision: "main", directories: [{ path: `${top}/*` }] });
      expect(spec.template.spec).toMatchObject({
        project: top,
        source: { repoURL: REPOSITORY, targetRevision: "main", path: "{{ .path.path }}" },
      });
    },
  );

  test.each(TOPS)(
    "has an example in %s/ that the project lets through, and its set is one that the root makes",
    (top) => {
      const [example] = Object.keys(FILES).flatMap((path) => (path.startsWith(`${top}/`) ? [path.split("/")[1]!] : []));
      const project = handedOverProjects(TOPOLOGIES["one-site"]).find(({ metadata }) => metadata.name === top)!;
      expect(permits(project, { group: "apps", kind: "Deployment", name: "x", namespace: example! })).toBe(true);
      const made = { group: "argoproj.io", kind: "ApplicationSet", name: top, namespace: "argocd" };
      expect(permits(rootProject(REPOSITORY), made)).toBe(true);
    },
  );

  test("keeps what an app of platform/ deployed when its folder goes, and not that of workloads/", () => {
    expect(setOf("platform").spec.syncPolicy).toEqual({ preserveResourcesOnDeletion: true });
    expect(setOf("workloads").spec.syncPolicy).toBeUndefined();
  });

  test("takes a folder for Helm by its Chart.yaml and for Kustomize by its kustomization.yaml, never both", () => {
    expect(Object.keys(FILES)).toContain("platform/podinfo/Chart.yaml");
    expect(Object.keys(FILES)).toContain("workloads/hello/kustomization.yaml");
    const folders = Object.keys(FILES).filter((path) => /(Chart|kustomization)\.yaml$/.test(path));
    expect(new Set(folders.map((path) => path.split("/")[1])).size).toBe(folders.length);
    expect(Object.values(FILES).join("\n")).not.toMatch(/^helmCharts:/m);
  });

  test("lists in its kustomization what is there", () => {
    const text = FILES["workloads/hello/kustomization.yaml"] ?? "";
    const { resources } = z.object({ resources: z.array(z.string()) }).parse(parseAllDocuments(text)[0]?.toJS());
    for (const resource of resources) expect(Object.keys(FILES)).toContain(`workloads/hello/${resource}`);
  });

  test("pins every image and chart to a version", () => {
    expect(FILES["platform/podinfo/Chart.yaml"]).toMatch(/version: \d+\.\d+\.\d+\n\s+repository/);
    expect(FILES["workloads/hello/kustomization.yaml"]).toMatch(/newTag: v\d/);
  });
});

describe("npm run gitops:init", () => {
  let folder: string;
  const lines: string[] = [];
  const voice = {
    say: (line: string) => void lines.push(line),
    complain: (line: string) => void lines.push(`! ${line}`),
  };
  const run = (...args: string[]) => {
    lines.length = 0;
    return gitopsInit(args, voice);
  };
  const init = (...more: string[]) => run(folder, "--repository", REPOSITORY, "--revision", "main", ...more);
  const content = () =>
    Object.fromEntries(
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => {
          const path = join(entry.parentPath, entry.name);
          return [path.slice(folder.length + 1), readFileSync(path, "utf8")];
        }),
    );

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), "gitops-")), "config");
  });
  afterEach(() => {
    rmSync(join(folder, ".."), { recursive: true });
  });

  test("writes the skeleton into a folder that it makes", () => {
    expect(init()).toBe(0);
    expect(content()).toEqual(FILES);
    expect(lines.at(-1)).toMatch(/: \d+ files written\. Next: commit and push them/);
  });

  test("changes nothing the second time, and says so", () => {
    init();
    expect(init()).toBe(0);
    expect(content()).toEqual(FILES);
    expect(lines).toEqual([`${folder} holds the skeleton already: nothing was written`]);
  });

  test("adds what is missing beside files of other names", () => {
    mkdirSync(join(folder, "workloads/shop"), { recursive: true });
    writeFileSync(join(folder, "workloads/shop/kustomization.yaml"), "mine\n");
    writeFileSync(join(folder, "README.md"), FILES["README.md"]!);
    expect(init()).toBe(0);
    expect(content()).toEqual({ ...FILES, "workloads/shop/kustomization.yaml": "mine\n" });
    expect(lines).not.toContain("  README.md");
  });

  test("lists all files with another content, and writes nothing at all", () => {
    mkdirSync(join(folder, "root"), { recursive: true });
    writeFileSync(join(folder, "README.md"), "mine\n");
    writeFileSync(join(folder, "root/platform.yaml"), "mine\n");
    expect(init()).toBe(1);
    expect(content()).toEqual({ "README.md": "mine\n", "root/platform.yaml": "mine\n" });
    expect(lines).toEqual([
      `! ${folder}: found 2 of ${Object.keys(FILES).length} paths taken · allowed the skeleton's own content, or nothing · fix: move them, or name an empty folder. Nothing was written`,
      "!   README.md: another content",
      "!   root/platform.yaml: another content",
    ]);
  });

  test("follows no link, and takes a file in a folder's place for what it is", () => {
    mkdirSync(join(folder, "README.md"), { recursive: true });
    writeFileSync(join(folder, "platform"), "mine\n");
    symlinkSync(tmpdir(), join(folder, "workloads"));
    symlinkSync(join(folder, "nowhere"), join(folder, ".gitignore"));
    expect(init()).toBe(1);
    expect(lines.slice(1)).toEqual([
      "!   .gitignore: no file",
      "!   README.md: no file",
      "!   platform: no folder",
      "!   workloads: no folder",
    ]);
  });

  test("refuses a file as the folder", () => {
    writeFileSync(folder, "mine\n");
    expect(init()).toBe(1);
    expect(lines).toEqual([`! ${folder}: found a file · allowed a folder, or nothing yet · fix: name another one`]);
  });

  test("says where it cannot write", () => {
    writeFileSync(folder, "mine\n");
    expect(run(join(folder, "inside"), "--repository", REPOSITORY)).toBe(1);
    expect(lines[0]).toMatch(/ENOTDIR.* · fix: let this user write there, or name another folder$/);
  });

  test.each([
    [["--repository", REPOSITORY], "found 0 folders · allowed one"],
    [["a", "b", "--repository", REPOSITORY], "found 2 folders · allowed one"],
    [["a"], "found no --repository · allowed the address of a Git repository"],
    [
      ["a", "--repository", "acme/cluster"],
      '--repository: found "acme/cluster" · allowed the address of a Git repository, such as git@github.com:acme/cluster.git · fix: copy it from where the repository is hosted',
    ],
    [
      ["a", "--repository", REPOSITORY, "--revision", "a b"],
      '--revision: found "a b" · allowed a branch or a tag · fix: write its name',
    ],
    [["a", "--force"], "Unknown option '--force'"],
  ])("refuses %j, and shows how it is used", (args, message) => {
    expect(run(...args)).toBe(2);
    expect(lines[0]).toContain(`! ${message}`);
    expect(lines[0]).toContain("npm run gitops:init -- <folder>");
  });

  test("tells how it is used", () => {
    expect(run("--help")).toBe(0);
    expect(lines[0]).toContain("Never overwrites");
  });

  test("is a command", () => {
    const file = fileURLToPath(new URL("../../tools/gitops-init.ts", import.meta.url));
    const said = execFileSync(process.execPath, [file, folder, "--repository", REPOSITORY], { encoding: "utf8" });
    expect(said).toContain("root/workloads.yaml");
  });
});
