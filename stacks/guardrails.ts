import { closest, distance } from "fastest-levenshtein";
import type { Deployed } from "./deployed.ts";
import { addressChanged } from "./guardrails/address-changed.ts";
import { apiOutOfReach } from "./guardrails/api-out-of-reach.ts";
import { bundleTooSmall } from "./guardrails/bundle-too-small.ts";
import { cidrChanged } from "./guardrails/cidr-changed.ts";
import { cidrOverlap } from "./guardrails/cidr-overlap.ts";
import { ciliumVersionSkip } from "./guardrails/cilium-version-skip.ts";
import { cniChanged } from "./guardrails/cni-changed.ts";
import { duplicateAddress } from "./guardrails/duplicate-address.ts";
import { etcdOverMesh } from "./guardrails/etcd-over-mesh.ts";
import { evenServers } from "./guardrails/even-servers.ts";
import { missingDependency } from "./guardrails/missing-dependency.ts";
import { overCommitted } from "./guardrails/over-committed.ts";
import { placementUnsatisfied } from "./guardrails/placement-unsatisfied.ts";
import { releaseProblem } from "./guardrails/release-problem.ts";
import { releaseReshaped } from "./guardrails/release-reshaped.ts";
import { volumeOnIntermittent } from "./guardrails/volume-on-intermittent.ts";
import { wanReplication } from "./guardrails/wan-replication.ts";
import { claimedTwice, twoDefaultStorageClasses } from "./guardrails/claimed-twice.ts";
import type { Guardrail, Severity } from "./guardrails/guardrail.ts";
import { ipv4OnlyAccess } from "./guardrails/ipv4-only-access.ts";
import { keyLifetime } from "./guardrails/key-lifetime.ts";
import { lanOverlap } from "./guardrails/lan-overlap.ts";
import { machineMoved } from "./guardrails/machine-moved.ts";
import { meshAdded, meshChanged } from "./guardrails/mesh-changed.ts";
import { meshCni, meshCniUnproved } from "./guardrails/mesh-cni.ts";
import { mtuTooSmall } from "./guardrails/mtu-too-small.ts";
import { nameRules } from "./guardrails/name-rules.ts";
import { noWayIn } from "./guardrails/no-way-in.ts";
import { nodeLimit } from "./guardrails/node-limit.ts";
import { publicPort } from "./guardrails/public-port.ts";
import { quorumLoss } from "./guardrails/quorum-loss.ts";
import { regionRenamed } from "./guardrails/region-renamed.ts";
import { resizeTogether } from "./guardrails/resize-together.ts";
import { routedSites } from "./guardrails/routed-sites.ts";
import { serversSpanSites } from "./guardrails/servers-span-sites.ts";
import { singleServer } from "./guardrails/single-server.ts";
import { tailscaleK3sVersion } from "./guardrails/tailscale-k3s-version.ts";
import { userV2Servers } from "./guardrails/user-v2-servers.ts";
import { versionDowngrade } from "./guardrails/version-downgrade.ts";
import { versionSkip } from "./guardrails/version-skip.ts";
import type { RegionSettings } from "./region-settings.ts";
import { type Problem, problemText } from "./settings/problem.ts";

export type { Guardrail, Severity } from "./guardrails/guardrail.ts";

/** Every guardrail, sorted by id. */
export const guardrails: readonly Guardrail[] = [
  addressChanged,
  apiOutOfReach,
  bundleTooSmall,
  cidrChanged,
  cidrOverlap,
  ciliumVersionSkip,
  claimedTwice,
  cniChanged,
  duplicateAddress,
  etcdOverMesh,
  evenServers,
  ipv4OnlyAccess,
  keyLifetime,
  lanOverlap,
  machineMoved,
  meshAdded,
  meshChanged,
  meshCni,
  meshCniUnproved,
  missingDependency,
  mtuTooSmall,
  nameRules,
  noWayIn,
  nodeLimit,
  overCommitted,
  placementUnsatisfied,
  publicPort,
  quorumLoss,
  regionRenamed,
  releaseProblem,
  releaseReshaped,
  resizeTogether,
  routedSites,
  serversSpanSites,
  singleServer,
  tailscaleK3sVersion,
  twoDefaultStorageClasses,
  userV2Servers,
  versionDowngrade,
  versionSkip,
  volumeOnIntermittent,
  wanReplication,
];

/** One thing that a guardrail found. */
export interface Finding {
  /** The guardrail's id. */
  readonly id: string;
  readonly severity: Severity;
  /** Why the guardrail is there, in one line. */
  readonly reason: string;
  /** `path: found … · allowed … · fix: …`. */
  readonly message: string;
  /** The reason that the settings give for accepting it. */
  readonly acceptedBecause?: string;
}

/** What all guardrails found. The update may go on if nothing is refused. */
export interface Verdict {
  readonly refused: readonly Finding[];
  readonly accepted: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** What is wrong with the `accept` setting as written: ids that do not exist, and ids that nobody can accept. */
export function acceptProblems(accept: unknown): Problem[] {
  if (typeof accept !== "object" || accept === null || Array.isArray(accept)) return [];
  const acceptable = guardrails.filter(({ severity }) => severity !== "refuse").map(({ id }) => id);
  return Object.keys(accept).flatMap((id) => {
    const guardrail = guardrails.find((candidate) => candidate.id === id);
    if (guardrail !== undefined && guardrail.severity !== "refuse") return [];
    const allowed = acceptable.join(", ");
    const path = ["accept", id];
    if (guardrail !== undefined) {
      const fix = "remove it and do what the guardrail says";
      return [{ path, found: "a guardrail that cannot be accepted", allowed, fix, harmless: true }];
    }
    const nearest = closest(id, acceptable);
    const fix = distance(id, nearest) <= 3 ? `write "${nearest}" in its place, or remove it` : "remove it";
    return [{ path, found: "no guardrail of this id", allowed, fix, harmless: true }];
  });
}

function findingsOf(guardrail: Guardrail, settings: RegionSettings, deployed: Deployed | undefined): Finding[] {
  const { id, severity, reason } = guardrail;
  const acceptedBecause = severity === "refuse" ? undefined : settings.accept[id];
  const findings = guardrail.check(settings, deployed).map((message) => ({
    id,
    severity,
    reason,
    message,
    ...(acceptedBecause === undefined ? {} : { acceptedBecause }),
  }));
  if (findings.length > 0 || acceptedBecause === undefined) return findings;
  const rule = { allowed: "an entry for something to accept", fix: `remove accept.${id}` };
  return [
    { id, severity: "warn", reason, message: problemText(`accept.${id}`, "a reason, but nothing to accept", rule) },
  ];
}

/**
 * Runs every guardrail.
 * @param deployed what the last successful update left; undefined before the first one
 */
export function evaluateGuardrails(settings: RegionSettings, deployed: Deployed | undefined): Verdict {
  const findings = guardrails.flatMap((guardrail) => findingsOf(guardrail, settings, deployed));
  const open = findings.filter(({ acceptedBecause }) => acceptedBecause === undefined);
  return {
    refused: open.filter(({ severity }) => severity !== "warn"),
    accepted: findings.filter(({ acceptedBecause }) => acceptedBecause !== undefined),
    warnings: open.filter(({ severity }) => severity === "warn"),
  };
}

/** The error that ends an update: every refusal with its reason and, where there is one, the way to accept it. */
export function renderRefusal(refused: readonly Finding[]): string {
  const ids = [...new Set(refused.map(({ id }) => id))];
  const blocks = ids.map((id) => {
    const findings = refused.filter((finding) => finding.id === id);
    const [first] = findings;
    const accept = `    or accept it: pulumi config set --path 'hybrid-k3s:accept.${id}' '<why>'`;
    return [
      `  ${id}: ${first?.reason ?? ""}`,
      ...findings.map(({ message }) => `    ${message}`),
      ...(first?.severity === "ask" ? [accept] : []),
    ].join("\n");
  });
  const count = ids.length === 1 ? "1 guardrail refuses" : `${ids.length} guardrails refuse`;
  return `${count} this update. Nothing was touched.\n${blocks.join("\n")}`;
}

const CONSEQUENCE: Readonly<Record<Severity, string>> = {
  refuse: "refuses",
  ask: "refuses, unless `accept` gives a reason",
  warn: "warns",
};

/** All guardrails as a Markdown table, for docs/guardrails.md. */
export function guardrailTable(): string {
  const rows = guardrails.map(({ id, severity, reason }) => [`\`${id}\``, CONSEQUENCE[severity], reason]);
  const table = [["Guardrail", "Does", "Because"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" | ")} |`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  return [line(table[0] ?? []), rule, ...table.slice(1).map(line)].join("\n");
}
