import { sameName } from "../../provider/resources/context.ts";
import type { Evidence, NodeView } from "./evidence.ts";

const RUNNING = { tailscale: "Running", netbird: "Connected" } as const;

/** What the client of a mesh calls its state when all is well. */
export const runningWord = (mesh: keyof typeof RUNNING): string => RUNNING[mesh];

/** Whether the control plane was looked at and has no device of this name that carries the region's tag. */
export function hasNoDevice(name: string, { devices, expectations }: Evidence): boolean {
  const tag = expectations.mesh?.tag;
  if (devices === undefined || "notLookedAt" in devices || tag === undefined) return false;
  return !devices.list.some((device) => sameName(device.name, name) && device.tags.includes(tag));
}

/**
 * Whether a node takes part in the mesh, as far as anybody can tell: it was reached, its client runs, and the control plane
 * has its device. One that does not is a finding by itself, and every way to it and from it would be a second one.
 */
export function isInMesh({ node, facts }: NodeView, evidence: Evidence): boolean {
  const { mesh } = evidence.expectations;
  return mesh !== undefined && facts?.client?.state === runningWord(mesh.provider) && !hasNoDevice(node.name, evidence);
}
