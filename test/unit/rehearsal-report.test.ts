import { describe, expect, it } from "vitest";
import { NO_STEPS, reportJson, succeeded, type RehearsalReport } from "../../rehearsal/report.ts";
import { reportText } from "../../rehearsal/report-text.ts";

const report: RehearsalReport = {
  stack: "prod",
  engine: "pulumi v3.259.0",
  plugins: { command: "stand-in", random: "stand-in" },
  nodes: [{ name: "s-1", role: "server", site: "rack" }],
  steps: { ...NO_STEPS, create: 3 },
  order: ["s-1-host", "s-1-k3s", "s-1-member"],
  secondPreview: "clean",
  guardrails: [
    {
      id: "even-servers",
      severity: "ask",
      outcome: "accepted",
      message: "sites: found 2 servers",
      reason: "for an hour",
    },
  ],
  warnings: ["unpinned: k3s"],
  releases: [{ name: "cert-manager", version: "v1.21.2", namespace: "cert-manager" }],
  costs: { machines: [{ name: "s-1", amount: 44, currency: "USD" }], sum: { USD: 44 } },
  publicRules: [{ machine: "s-1", port: "udp 41641", step: "s-1-ports" }],
  criticalPath: [
    { name: "s-1-host", seconds: 1 },
    { name: "s-1-k3s", seconds: 8 },
  ],
  simulatedSeconds: 9,
  edits: [],
  seconds: 4.2,
};
const edit = {
  name: "edit.yaml",
  steps: NO_STEPS,
  resources: [],
  order: [],
  secondPreview: "clean",
  guardrails: [],
  warnings: ["s-1.bundle: the machine has large_3_0"],
  criticalPath: [],
  simulatedSeconds: 0,
} as const;

describe("a rehearsal's report", () => {
  it("succeeded only if everything went through and every second preview was clean", () => {
    expect(succeeded(report)).toBe(true);
    expect(succeeded({ ...report, secondPreview: ["update s-1-k3s"] })).toBe(false);
    expect(succeeded({ ...report, secondPreview: "not run" })).toBe(false);
    expect(succeeded({ ...report, failure: { phase: "preview", message: "refused" } })).toBe(false);
    expect(succeeded({ ...report, edits: [edit, { ...edit, secondPreview: ["update s-1-k3s"] }] })).toBe(false);
  });

  it("tells a person order, critical path, what was accepted and why, and that it was simulated", () => {
    const text = reportText(report);
    expect(text).toContain("s-1-host → s-1-k3s → s-1-member");
    expect(text).toMatch(/critical path: about 9 s, without downloads \(simulated/);
    expect(text).toMatch(/even-servers[^\n]*accepted|accepted[^\n]*even-servers/);
    expect(text).toContain("for an hour");
    expect(text).toContain("unpinned: k3s");
    expect(text).toContain("SIMULATED");
  });

  it("tells what it costs, what is open, and what an edit leaves for the next generation", () => {
    const text = reportText({ ...report, edits: [edit] });
    expect(text).toContain("costs: 44 USD a month by the catalogues, before taxes and traffic (s-1 44 USD)");
    expect(text).toContain("open to the world: s-1 udp 41641, since s-1-ports");
    expect(text).toContain("warning: s-1.bundle: the machine has large_3_0");
    expect(reportText({ ...report, costs: { machines: [], sum: {} } })).not.toContain("costs:");
  });

  it("names what a second preview would still do", () => {
    expect(reportText({ ...report, secondPreview: ["update s-1-k3s"] })).toContain("update s-1-k3s");
  });

  it("is one line of JSON with every key that readers rely on", () => {
    const text = reportJson({ ...report, edits: [edit] });
    expect(text).not.toContain("\n");
    const keys =
      "stack engine plugins nodes steps order secondPreview guardrails releases publicRules seconds edit".split(" ");
    expect(Object.keys(JSON.parse(text) as object)).toEqual(expect.arrayContaining(keys));
  });
});
