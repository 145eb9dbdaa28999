import { CNI_NAMES } from "../../components/k3s/cni-variant.ts";
import { compatibility, type Compatibility } from "../../components/mesh/compatibility.ts";
import { pairOf } from "../mesh-pair.ts";
import type { RegionSettings } from "../region-settings.ts";
import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

function finding(settings: RegionSettings, wanted: Compatibility["verdict"], allowed: string, fix?: string): string[] {
  const pair = pairOf(settings);
  const { verdict, reason, link, fix: known } = compatibility(pair);
  if (verdict !== wanted) return [];
  const found = `${pair.mesh}, with ${CNI_NAMES[pair.cni]}: ${reason} (${link})`;
  return [problemText("mesh.provider", found, { allowed, fix: known ?? fix ?? "" })];
}

/** A pod network and a mesh that are known to fail together. */
export const meshCni: Guardrail = {
  id: "mesh-cni",
  reason: "a pod network and a mesh share routes, ports and MTU, and some pairs are known to break each other",
  severity: "refuse",
  check: (settings) => finding(settings, "refuse", "a pair that is not known to fail: docs/mesh.md lists them"),
};

/** A pod network and a mesh that were never run together here. */
export const meshCniUnproved: Guardrail = {
  id: "mesh-cni-unproved",
  reason: "a pod network and a mesh share routes, ports and MTU: this pair was never run by those who wrote this",
  severity: "ask",
  check: (settings) =>
    finding(
      settings,
      "ask",
      "a pair that was run: docs/mesh.md lists them",
      "try it where it may fail and accept this, or take a pair that was run",
    ),
};
