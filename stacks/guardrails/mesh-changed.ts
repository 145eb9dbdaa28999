import type { Deployed } from "../deployed.ts";
import type { RegionSettings, SiteSettings } from "../region-settings.ts";
import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** Kinds whose machines are joined over SSH, the way they are reached by anyhow. Others join at their first boot alone. */
const JOINED_LATE: readonly string[] = ["existing", "lima"] satisfies SiteSettings["provider"][];

/** Whether a cluster without a mesh can be given one as it stands. */
function canBeJoined({ sites }: RegionSettings, { mesh, nodes }: Deployed): boolean {
  // An earlier version's record has no kinds: a site that is in the settings is of the kind that it was.
  const kinds = new Map<string, string>(sites.map(({ name, provider }) => [name, provider]));
  return (
    mesh === "none" && nodes.every(({ provider, site }) => JOINED_LATE.includes(provider ?? kinds.get(site) ?? ""))
  );
}

const check =
  (joined: boolean, fix: string): Guardrail["check"] =>
  (settings, deployed) => {
    const { provider } = settings.mesh;
    if (deployed === undefined || deployed.mesh === provider || canBeJoined(settings, deployed) !== joined) return [];
    return [problemText("mesh.provider", provider, { allowed: `${deployed.mesh}, as deployed`, fix })];
  };

/** A mesh goes from a cluster that runs, another takes its place, or one comes to machines that cannot join it any more. */
export const meshChanged: Guardrail = {
  id: "mesh-changed",
  reason: "machines that run neither join a mesh late nor leave one: sites and updates would lose the way to them",
  severity: "refuse",
  check: check(false, "set mesh.provider back, or build a new region and move to it"),
};

/** A mesh comes to a cluster of machines that are all joined over SSH. */
export const meshAdded: Guardrail = {
  id: "mesh-added",
  reason: "node by node, routes and MTU change under pods that run: between old and new nodes packets can get lost",
  severity: "ask",
  check: check(
    true,
    "plan an interruption and accept this: pods keep the MTU that they started with until they start again",
  ),
};
