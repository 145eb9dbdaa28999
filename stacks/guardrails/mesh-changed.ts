import type { Deployed } from "../deployed.ts";
import type { RegionSettings } from "../region-settings.ts";
import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/**
 * Whether a cluster without a mesh can be given one as it stands: hosts that stood already are joined over SSH, the way
 * they are reached by anyhow. A machine that we made joins at its first boot alone; of an unknown kind we say nothing.
 */
const canBeJoined = ({ mesh, nodes }: Deployed): boolean =>
  mesh === "none" && nodes.every(({ provider }) => provider === "existing");

const check =
  (joined: boolean, fix: string): Guardrail["check"] =>
  ({ mesh: { provider } }: RegionSettings, deployed) => {
    if (deployed === undefined || deployed.mesh === provider || canBeJoined(deployed) !== joined) return [];
    return [problemText("mesh.provider", provider, { allowed: `${deployed.mesh}, as deployed`, fix })];
  };

/** A mesh goes from a cluster that runs, another takes its place, or one comes to machines that cannot join it any more. */
export const meshChanged: Guardrail = {
  id: "mesh-changed",
  reason: "machines that run neither join a mesh late nor leave one: sites and updates would lose the way to them",
  severity: "refuse",
  check: check(false, "set mesh.provider back, or build a new region and move to it"),
};

/** A mesh comes to a cluster of hosts that stood already. */
export const meshAdded: Guardrail = {
  id: "mesh-added",
  reason: "node by node, routes and MTU change under pods that run: between old and new nodes packets can get lost",
  severity: "ask",
  check: check(
    true,
    "plan an interruption and accept this: pods keep the MTU that they started with until they start again",
  ),
};
