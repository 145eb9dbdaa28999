import type { Topology } from "./topology.ts";

/** Where a chart comes from and which one it is, from versions.yaml. */
export interface ChartPin {
  readonly version: string;
  readonly repository: string;
  readonly chart: string;
  /** The release's CRDs, as one file. @default the chart has none */
  readonly crds?: {
    readonly url: string;
    /** SHA-256 of the file, hexadecimal. Empty text: not recorded. */
    readonly sha256: string;
  };
}

/** A Helm release as this project knows it: one file a release says all of this. */
export interface ReleaseDefinition<Settings> {
  /** Name of the release, its key in the settings and in versions.yaml. */
  readonly name: string;
  readonly namespace: string;
  /** Pod security level of its namespace: https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
  readonly podSecurity: "restricted" | "baseline" | "privileged";
  /** Releases that come before this one, by name. */
  readonly needs: readonly string[];
  /** How long the release may take to be ready. Seconds. */
  readonly timeoutSeconds: number;
  /** Helm values for a region. The user's own values are merged over them. */
  readonly values: (topology: Topology, settings: Settings) => Record<string, unknown>;
}
