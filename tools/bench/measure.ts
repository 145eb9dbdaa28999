import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { publicHalf } from "../../components/bootstrap/login-key.ts";
import { placeholderKey } from "../../rehearsal/engine/placeholder-key.ts";
import type { RunRecord } from "../../rehearsal/engine/steps.ts";
import { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { releaseAid } from "../../stacks/release-aid.ts";
import { declareRegion } from "../../stacks/region.ts";
import { parseSettings } from "../../stacks/settings.ts";
import { readVersions } from "../../stacks/versions.ts";
import { wantedReleases } from "../../stacks/wanted-releases.ts";
import { fakeOutputs } from "../../test/support/fakes.ts";
import { recordGraph } from "../../test/support/record-graph.ts";
import { BENCH_REGIONS, stackOfSize } from "./region-of-size.ts";

/** One measurement in a process of its own, so that its peak memory is its own. */
export interface Measurement {
  readonly seconds: number;
  /** Peak memory of the process that holds the program (and, in a rehearsal, the stand-ins). MiB. */
  readonly peak: number;
  /** Scripts that reached a host, per node: on the first update and on one without a change. */
  readonly roundTrips?: readonly [number, number];
}

const BENCH_KEY = placeholderKey("bench");

const settingsOf = (nodes: number) => {
  const { config } = parse(stackOfSize(nodes)) as { config: Record<string, unknown> };
  const values = Object.entries(config).map(([key, value]): [string, unknown] => [
    key.replace("hybrid-k3s:", ""),
    value,
  ]);
  return parseSettings(Object.fromEntries(values), BENCH_REGIONS);
};

function declare(nodes: number) {
  const settings = settingsOf(nodes);
  const versions = readVersions();
  return declareRegion({
    settings,
    versions,
    releases: wantedReleases(settings, versions),
    login: { privateKey: pulumi.secret(BENCH_KEY), ...publicHalf(BENCH_KEY) },
    meshCredentials: {},
    releaseAid,
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** A run that failed measures nothing. */
function succeeded({ failure }: RunRecord): void {
  if (failure !== undefined) throw new Error(failure);
}

async function engine(nodes: number): Promise<Omit<Measurement, "peak">> {
  const folder = mkdtempSync(join(tmpdir(), "hybrid-k3s-bench-"));
  copyFileSync(new URL("../../Pulumi.yaml", import.meta.url), join(folder, "Pulumi.yaml"));
  writeFileSync(join(folder, "regions.yaml"), BENCH_REGIONS);
  const rehearsal = await Rehearsal.open({
    folder,
    stack: "bench",
    settingsText: stackOfSize(nodes),
    program: () => Promise.resolve(declare(nodes)),
  });
  try {
    const seconds = await timed(async () => succeeded(await rehearsal.preview()));
    if (nodes > 50) return { seconds };
    const reached = () => rehearsal.world.events.filter(({ kind, host }) => kind === "begin" && host !== "").length;
    succeeded(await rehearsal.up());
    const first = reached();
    succeeded(await rehearsal.up());
    return { seconds, roundTrips: [first / nodes, (reached() - first) / nodes] };
  } finally {
    await rehearsal.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const [what, size] = process.argv.slice(2);
const nodes = Number(size);
const graph = () => recordGraph(() => declare(nodes), { state: fakeOutputs });
const result = what === "graph" ? { seconds: await timed(graph) } : await engine(nodes);
const measurement: Measurement = { ...result, peak: process.resourceUsage().maxRSS / 1024 };
console.log(JSON.stringify(measurement));
