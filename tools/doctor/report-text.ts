import type { WayReport, DoctorReport, NodeReport } from "./report.ts";

/** Columns as wide as their widest cell. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

const indented = (line: string): string => `    ${line}`;

function nodeLines({ name, role, address, checks, dialled }: NodeReport): string[] {
  const well = checks.filter((check) => check.well !== undefined);
  const bad = checks.filter((check) => check.findings.length > 0);
  const words = well.map(({ check, well: said }) => (check === "ssh" ? "ssh" : (said ?? "")));
  return [
    `  ${name}  ${role}, ${address}${dialled === undefined ? "" : `, by ${dialled}`}`,
    ...(words.length === 0 ? [] : [indented(`well   ${words.join(" · ")}`)]),
    ...(bad.length === 0
      ? []
      : [indented(`found  ${bad.map(({ check, findings }) => `${check} (${findings.join(", ")})`).join(" · ")}`)]),
  ];
}

function pathOf({ over, path }: WayReport): string {
  if (over !== "mesh" || path === undefined) return over === "lan" ? "LAN" : over;
  return path.kind === "relayed" || path.kind === "peer relay" ? `${path.kind} (${path.through ?? "?"})` : path.kind;
}

function latencyOf({ latency }: WayReport): string {
  if (latency === undefined) return "";
  return latency === "none" ? "no answer" : latency.toFixed(latency < 10 ? 2 : 1);
}

function packetOf({ large }: WayReport): string {
  if (large === undefined) return "";
  if (large.passes) return "pass";
  return large.limit === undefined ? "LOST" : `LOST, ${large.limit} would pass`;
}

/** Ways that say something: those that were pinged, and those of the mesh that are not direct. */
const isTold = ({ over, path, latency }: WayReport): boolean =>
  latency !== undefined || (over === "mesh" && path !== undefined && path.kind !== "direct" && path.kind !== "idle");

function wayLines({ ways, packetBytes }: DoctorReport): string[] {
  const told = ways.filter(isTold);
  if (told.length === 0) return [];
  const rest = ways.filter((way) => !isTold(way) && way.over === "mesh" && way.path?.kind === "direct").length;
  const head = ["from", "to", "path", "ms", `${packetBytes} bytes`];
  const rows = told.map((way) => [way.from, way.to, pathOf(way), latencyOf(way), packetOf(way)]);
  return ["", ...table([head, ...rows]), ...(rest === 0 ? [] : [`and ${rest} more ways through the mesh, all direct`])];
}

const counted = (count: number): string => (count === 1 ? "1 finding" : `${count} findings`);

/** The report as a person reads it. */
export function reportText(report: DoctorReport): string {
  const { stack, region, mesh, nodes, notLookedAt, findings } = report;
  const sites = Map.groupBy(nodes, ({ site }) => site);
  const reached = nodes.filter((node) => node.reached).length;
  return [
    `doctor of ${stack}: region ${region}, ${nodes.length} ${nodes.length === 1 ? "node" : "nodes"}, ${mesh === "none" ? "no mesh" : mesh}`,
    ...[...sites.entries()].flatMap(([site, of]) => ["", site, ...of.flatMap(nodeLines)]),
    ...wayLines(report),
    ...(notLookedAt.length === 0 ? [] : ["", ...notLookedAt.map(({ what, why }) => `not looked at: ${what}: ${why}`)]),
    ...(findings.length === 0
      ? []
      : ["", ...findings.flatMap(({ number, text, fix }) => [`${number}. ${text}`, `   fix: ${fix}`])]),
    "",
    `${findings.length === 0 ? "nothing found" : counted(findings.length)}: ${reached} of ${nodes.length} nodes reached`,
  ].join("\n");
}
