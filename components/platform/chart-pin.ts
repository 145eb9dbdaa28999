/** A file of CRDs. */
export interface CrdFile {
  readonly url: string;
  /** SHA-256 of the file, hexadecimal. Empty text: not recorded. */
  readonly sha256: string;
}

/** Where a chart comes from and which one it is, from versions.yaml. */
export interface ChartPin {
  readonly version: string;
  /** Address of the repository: `https://…`, or `oci://…` without the chart's name. */
  readonly repository: string;
  readonly chart: string;
  /** SHA-256 of the chart's archive, hexadecimal; compared by `npm run charts -- verify` alone. Empty text: not recorded. */
  readonly sha256: string;
  /** The release's CRDs. Empty: it has none, or its chart keeps them itself. */
  readonly crds: readonly CrdFile[];
}
