import { readFileSync, writeFileSync } from "node:fs";

/** What was measured between two nodes. */
export interface PairMeasure {
  readonly pair: string;
  /** The way that packets take. */
  readonly path: "LAN" | "mesh, direct" | "mesh, relayed";
  /** Mean time there and back, in ms. */
  readonly latency: number;
  /** Bytes a second over one TCP connection. */
  readonly throughput: number;
  /** The largest packet of a pod that passes whole. Bytes. */
  readonly edge: number;
}

const HEAD = ["pair", "path", "latency, inside = 1", "throughput, inside = 1", "MTU edge"] as const;
const BEGIN = "<!-- mesh-table: written by `npm run mesh-table` -->";
const END = "<!-- end of mesh-table -->";

/** Ratios to the first row, for absolute numbers are those of one test machine. */
function cells(rows: readonly PairMeasure[]): string[][] {
  const base = rows[0]!;
  return rows.map(({ pair, path, latency, throughput, edge }) => [
    pair,
    path,
    (latency / base.latency).toFixed(1),
    (throughput / base.throughput).toPrecision(1),
    String(edge),
  ]);
}

/** The table as Markdown, aligned as Prettier aligns it. The first row is the pair inside a site. */
export function renderTable(rows: readonly PairMeasure[]): string {
  const all = [[...HEAD], ...cells(rows)];
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const [head, ...body] = all;
  return [line(head!), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

/** Puts the table into a document, between its markers. @throws Error if the markers are not there */
export function writeTable(file: URL, table: string): void {
  const text = readFileSync(file, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${file.pathname} has no ${BEGIN} … ${END}`);
  writeFileSync(file, `${text.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${text.slice(end)}`);
}
