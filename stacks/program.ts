import * as pulumi from "@pulumi/pulumi";
import type { ReleaseAid } from "../components/platform/release-aid.ts";
import { releaseAid } from "./release-aid.ts";
import { parseDeployed, type Deployed } from "./deployed.ts";
import { evaluateGuardrails, renderRefusal } from "./guardrails.ts";
import { keepingWhatRuns } from "./lasting.ts";
import { present } from "../components/present.ts";
import { declareRegion, type Region } from "./region.ts";
import type { RegionSettings } from "./region-settings.ts";
import { loadLoginKey, loadMeshCredentials, loadSettings } from "./settings.ts";
import { readVersions, unpinnedWarning, type Versions } from "./versions.ts";
import { wantedReleases } from "./wanted-releases.ts";

/** What the program does outside the engine; a rehearsal puts its own in. */
export interface Effects {
  readonly releaseAid: ReleaseAid;
}

/** One stack: reads its settings, checks them against what runs, and declares the region. */
export async function program(effects: Effects = { releaseAid }): Promise<Region> {
  const config = new pulumi.Config("hybrid-k3s");
  const stated = refusing(() => loadSettings(config));
  const deployed = await readDeployed();
  const settings = keepingWhatRuns(stated, deployed);
  await applyGuardrails(settings, deployed);
  const versions = refusing(() => readVersions());
  await sayUnpinned(settings, versions);
  return declareRegion({
    settings,
    ...(deployed === undefined ? {} : { deployed }),
    versions,
    login: refusing(() => loadLoginKey(config)),
    meshCredentials: loadMeshCredentials(config),
    releases: wantedReleases(settings, versions),
    ...effects,
  });
}

/** Errors about what a person wrote need no stack trace. */
function refusing<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
}

/** What the last successful run exported: a stack may read itself, also in a preview. */
async function readDeployed(): Promise<Deployed | undefined> {
  const self = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { value } = (await new pulumi.StackReference("deployed", { name: self }).getOutputDetails("deployed")) as {
    readonly value?: unknown;
  };
  return refusing(() => parseDeployed(value));
}

async function applyGuardrails(settings: RegionSettings, deployed: Deployed | undefined): Promise<void> {
  const { refused, accepted, warnings } = evaluateGuardrails(settings, deployed);
  for (const finding of warnings) await pulumi.log.warn(`guardrail ${finding.id}: ${finding.message}`);
  for (const finding of accepted) {
    await pulumi.log.warn(`guardrail ${finding.id} accepted (${finding.acceptedBecause}): ${finding.message}`);
  }
  if (refused.length > 0) throw new pulumi.RunError(renderRefusal(refused));
}

async function sayUnpinned(settings: RegionSettings, versions: Versions): Promise<void> {
  const { kubernetes, platform } = settings;
  const releases = Object.keys(platform);
  const warning = unpinnedWarning(
    versions,
    present({ kubernetes: kubernetes.version, cilium: kubernetes.cilium?.version, releases }),
  );
  if (warning !== undefined) await pulumi.log.warn(warning);
}
