import { keepsToLan, type MeshSite, otherLans } from "../../../components/mesh/mesh-site.ts";
import { canonicalCidr, isCidr } from "../../../components/network/cidr.ts";
import type { Evidence, ExpectedNode, HostFacts, NodeView } from "../evidence.ts";
import type { Finding, NodeCheck } from "../finding.ts";
import { isWell, judged } from "../finding.ts";
import { isInMesh } from "../in-mesh.ts";
import { hasOpenRoute, missingRoutes } from "../mesh-routes.ts";
import { unitOf } from "./client.ts";

/** Unit and priorities of components/mesh/scripts/mesh-host.sh. */
const UNIT = "hybrid-k3s-mesh";
const NEAR_PRIORITY = 2500;
const FAR_PRIORITY = 5300;
const AGAIN = `systemctl restart ${UNIT} on the host sets it again; if the unit says otherwise than the settings, pulumi up`;

const sameRange = (one: string | undefined, other: string): boolean =>
  one !== undefined && isCidr(one) && canonicalCidr(one) === canonicalCidr(other);

/** The sites as those who wrote the hosts' rules saw them. */
const meshSites = ({ sites }: Evidence["expectations"]): MeshSite[] =>
  Object.entries(sites).map(([name, { lan, nodeAddresses }]) => ({ name, lan, carriesLan: nodeAddresses === "lan" }));

const rulesAt = ({ rules }: HostFacts, priority: number) => rules.filter((rule) => rule.priority === priority);

/** What is wrong with the rule about neighbours: it is not there, or there where another site has addresses of that range. */
function nearProblem(lan: string, facts: HostFacts, keeps: boolean): string | undefined {
  const found = rulesAt(facts, NEAR_PRIORITY).map(({ to, action }) => `to ${to ?? "all"} ${action}`);
  const stands = rulesAt(facts, NEAR_PRIORITY).some(({ to, action }) => sameRange(to, lan) && action === "lookup main");
  if (stands === keeps) return undefined;
  return keeps
    ? `the rule that keeps neighbours on the LAN is not there, so their packets go through the mesh: found ${found.length === 0 ? "none" : found.join(", ")} · allowed to ${lan} lookup main, priority ${NEAR_PRIORITY}`
    : `another site has addresses of this LAN's range, and packets to it stay on this LAN: found ${found.join(", ")} · allowed no rule of priority ${NEAR_PRIORITY}`;
}

function ruleFindings(node: ExpectedNode, facts: HostFacts, { expectations }: Evidence): Finding[] {
  // A site that the settings no longer have is not judged.
  const lan = expectations.sites[node.site]?.lan;
  if (lan === undefined) return [];
  const sites = meshSites(expectations);
  const near = expectations.mesh?.siteRule === true ? nearProblem(lan, facts, keepsToLan(sites, node.site)) : undefined;
  const missing = otherLans(sites, node.site).filter(
    (far) => !rulesAt(facts, FAR_PRIORITY).some(({ to, action }) => sameRange(to, far) && action === "unreachable"),
  );
  const far =
    missing.length === 0
      ? undefined
      : `the rule that keeps other sites' packets out of the clear is not there: found none for ${missing.join(", ")} · allowed to each unreachable, priority ${FAR_PRIORITY}`;
  return [near, far]
    .filter((problem) => problem !== undefined)
    .map((problem) => ({ check: "routes", node: node.name, text: `${node.name}: ${problem}`, fix: AGAIN }));
}

function unitFindings(node: ExpectedNode, facts: HostFacts, mesh: "tailscale" | "netbird"): Finding[] {
  const state = facts.units[UNIT] ?? "unknown";
  // It stops with the client, whose end is a finding by itself.
  if (state === "active" || facts.units[unitOf(mesh)] !== "active") return [];
  const fix =
    state === "not-found"
      ? "pulumi up: the host was never made a node of the mesh, or was taken out of it"
      : `systemctl restart ${UNIT} on the host; if it fails: journalctl -u ${UNIT} -n 20`;
  const text = `${node.name}: found ${UNIT}.service ${state} · allowed active`;
  return [{ check: "routes", node: node.name, text, fix }];
}

function ownRouteFindings(view: NodeView, evidence: Evidence): Finding[] {
  if (hasOpenRoute(view, evidence)) return [];
  const { node } = view;
  const lan = evidence.expectations.sites[node.site]?.lan ?? "";
  const text = `${node.name}: its route ${node.address}/32 is not approved, so other sites do not reach it`;
  const fix = `the tailnet's policy must hold "autoApprovers": { "routes": { "${lan}": ["${evidence.expectations.mesh?.tag ?? "<the nodes' tag>"}"] } }: set mesh.policy to merge and pulumi up, or approve the route by hand`;
  return [{ check: "routes", node: node.name, text, fix }];
}

function otherRouteFindings(view: NodeView, evidence: Evidence): Finding[] {
  const missing = missingRoutes(view, evidence);
  const { mesh } = evidence.expectations;
  if (missing.length === 0 || mesh === undefined) return [];
  const names = missing.map(({ name, address }) => `${name} (${address})`).join(", ");
  const table = mesh.provider === "tailscale" ? " in table 52" : ` by ${mesh.interface}`;
  const fix =
    mesh.provider === "tailscale"
      ? "tailscale set --accept-routes on the host; if the route is still not there, the policy must let nodes reach each other's LAN addresses (a grant to the site's LAN)"
      : "netbird networks list on the host: are the networks selected, and does a policy of the region allow them? pulumi up sets both";
  const text = `${view.node.name}: no route${table} to ${names}`;
  return [{ check: "routes", node: view.node.name, text, fix }];
}

/** Whether a host's rules and routes send packets where they belong: neighbours' over the LAN, the others' through the mesh. */
export const checkRoutes: NodeCheck = (view, evidence) => {
  const { node, facts } = view;
  const { mesh } = evidence.expectations;
  if (mesh === undefined || facts === undefined) return undefined;
  const inMesh = isInMesh(view, evidence);
  const findings = [
    ...unitFindings(node, facts, mesh.provider),
    ...ruleFindings(node, facts, evidence),
    ...(inMesh ? [...ownRouteFindings(view, evidence), ...otherRouteFindings(view, evidence)] : []),
  ];
  if (findings.length > 0) return judged(findings, "");
  return inMesh ? isWell("rules and routes") : isWell("rules");
};
