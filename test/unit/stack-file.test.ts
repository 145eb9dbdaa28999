import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plainIn } from "../../stacks/stack-file.ts";

const FILE = `
config:
  hybrid-k3s:platform:
    velero: { bucket: { accessKeyId: { secure: v1:one }, secretAccessKey: plain } }
    keys: [{ secure: v1:two }, 12345]
  region: tokyo
`;

describe("what stands in a stack's file as it is", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "stack-file-"));
    writeFileSync(join(folder, "Pulumi.prod.yaml"), FILE);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const plain = (path: readonly (string | number)[], stack = "prod"): boolean =>
    plainIn(stack, "hybrid-k3s", folder)(path);

  it.each([[["platform", "velero", "bucket", "secretAccessKey"]], [["platform", "keys", 1]], [["region"]]])(
    "%j does",
    (path) => {
      expect(plain(path)).toBe(true);
    },
  );

  it.each([
    [["platform", "velero", "bucket", "accessKeyId"]],
    [["platform", "keys", 0]],
    [["platform", "velero", "bucket", "prefix", "more"]],
    [["platform", "velero"]],
    [["mesh", "apiKey"]],
  ])("%j does not", (path) => {
    expect(plain(path)).toBe(false);
  });

  it("is nothing of a stack without a file here", () => {
    expect(plain(["region"], "dev")).toBe(false);
  });
});
