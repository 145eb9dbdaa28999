import { CNI_NAMES, type CniVariant } from "../k3s/cni-variant.ts";
import { compatibility, type Compatibility, type Pair } from "./compatibility.ts";

/** A row of the table: a pair, and what is special about it. */
interface Row {
  readonly pair: Pair;
  readonly note?: string;
}

const CNIS = Object.keys(CNI_NAMES) as CniVariant[];
const MESHES = ["none", "tailscale", "netbird"] as const;

/** What a pair has beside the usual. */
const SPECIAL: readonly Row[] = [
  { pair: { cni: "flannel-wireguard", mesh: "netbird", meshPort: 51830 }, note: "`port: 51830`" },
  { pair: { cni: "flannel-vxlan", mesh: "tailscale", meshAddresses: true }, note: "`nodeAddresses: mesh`" },
  { pair: { cni: "cilium", mesh: "tailscale", meshAddresses: true }, note: "`nodeAddresses: mesh`" },
  { pair: { cni: "cilium", mesh: "tailscale", ciliumVersion: "1.18.9" }, note: "Cilium before 1.19" },
];

const rows: readonly Row[] = CNIS.flatMap((cni) =>
  MESHES.flatMap((mesh) => [
    { pair: { cni, mesh } },
    ...SPECIAL.filter(({ pair }) => pair.cni === cni && pair.mesh === mesh),
  ]),
);

const VERDICTS: Readonly<Record<Compatibility["verdict"], string>> = {
  proved: "proved",
  ask: "asks",
  refuse: "**refused**",
};

const code = (values: readonly (string | number)[]): string => values.map((value) => `\`${value}\``).join(" ");

function settingsText({
  mtus,
  siteRule,
  cniPorts,
  blacklist,
  closedToMesh,
  devices = [],
}: Compatibility["settings"]): string {
  return [
    `MTU ${mtus.underlay}, of pods ${mtus.pods}`,
    `UDP ${cniPorts.join(", ")} between nodes`,
    ...(siteRule ? ["site rule"] : []),
    ...(blacklist.length === 0 ? [] : [`blacklist ${code(blacklist)}`]),
    ...(closedToMesh.length === 0 ? [] : [`closed to the mesh ${code(closedToMesh)}`]),
    ...(devices.length === 0 ? [] : [`\`devices\` ${code(devices)}`]),
  ].join("; ");
}

const linkText = (link: string): string => {
  const issue = /github\.com\/([^/]+)\/[^/]+\/(?:issues|pull)\/(\d+)$/.exec(link);
  if (issue !== null) return `[${issue[1] ?? ""} ${issue[2] ?? ""}](${link})`;
  if (!link.startsWith("docs/")) return `[${new URL(link).hostname}](${link})`;
  const page = link.replace(/^docs\//, "");
  return `[${page}](${page})`;
};

function cells({ pair, note }: Row): string[] {
  const { verdict, settings, reason, link, fix } = compatibility(pair);
  const because = [reason, ...(fix === undefined ? [] : [fix])].join(": ");
  return [
    CNI_NAMES[pair.cni],
    [pair.mesh, ...(note === undefined ? [] : [note])].join(", "),
    VERDICTS[verdict],
    verdict === "refuse" ? "" : settingsText(settings),
    `${because} (${linkText(link)})`,
  ];
}

/** Every pair of pod network and mesh as a Markdown table, for docs/mesh.md. */
export function compatibilityTable(): string {
  const table = [["Pod network", "Mesh", "Verdict", "Settings", "Because"], ...rows.map(cells)];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" | ")} |`;
  return [line(table[0] ?? []), line(widths.map((width) => "-".repeat(width))), ...table.slice(1).map(line)].join("\n");
}
