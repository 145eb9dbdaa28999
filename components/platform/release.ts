import type { z } from "zod";
import type { Lasting } from "./lasting.ts";
import type { Topology } from "./topology.ts";
import type { Workload } from "./workload.ts";

/** Helm values. */
export type Values = Readonly<Record<string, unknown>>;

/** A Kubernetes object. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    /** Left out for kinds that have none, such as ClusterIssuer. */
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** What one key of a Secret holds: a text of the settings, or one that the stack makes once and keeps. */
export type SecretEntry =
  | { readonly text: string }
  /** A password of letters and digits. */
  | { readonly password: number }
  /** So many hexadecimal digits. */
  | { readonly hex: number }
  /** An SSH key: the private half in OpenSSH form; the public half becomes an output of the stack. */
  | { readonly sshKey: "private" };

/** A Secret that a release's pods read, made before its chart. */
export interface SecretDefinition {
  readonly name: string;
  /** Such as `kubernetes.io/basic-auth`. @default Kubernetes' own: Opaque */
  readonly type?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly entries: Readonly<Record<string, SecretEntry>>;
}

/** Annotations of pods; a value may be known only once something else is made. */
export type PodAnnotations = Readonly<Record<string, unknown>>;

/** What only one release of a region can have. */
export interface Claims {
  /** Name of the StorageClass that it makes the default one. */
  readonly defaultStorageClass?: string;
  /** Name of the IngressClass or GatewayClass that it makes the default one. */
  readonly defaultIngressClass?: string;
  /** TCP ports of its Services of type LoadBalancer: ServiceLB takes them on machines. */
  readonly ports?: readonly number[];
  /** Rules of pod-rules.ts that it holds pods to. */
  readonly podRules?: readonly string[];
}

/** Something that is wrong with a release's settings in this region; `path` begins below `platform.<name>`. */
export interface ReleaseProblem {
  readonly path: string;
  readonly found: string;
  readonly allowed: string;
  readonly fix: string;
}

/** Sections of docs/platform.md, in its order. */
export const SECTIONS = [
  "Certificates and secrets",
  "GitOps",
  "Ingress and load balancing",
  "Storage",
  "Databases and messaging",
  "Object storage",
  "Observability",
  "Identity",
  "Policy and safety",
  "Builds",
  "Access",
] as const;

interface Facts {
  /** Name of the release, its key in the settings and in versions.yaml. */
  readonly name: string;
  readonly section: (typeof SECTIONS)[number];
  /** What it is for, in one line. */
  readonly summary: string;
  /** Where its documentation is. */
  readonly home: string;
  /** `objects`: it has no chart of its own, and is what `objects` says. */
  readonly kind: "chart" | "objects";
  readonly namespace: string;
  /** Pod security level of its namespace; `existing` where Kubernetes, k3s or a release that it needs made the namespace. https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
  readonly podSecurity: "restricted" | "baseline" | "privileged" | "existing";
  /** How long the release may take to be ready. Seconds. */
  readonly timeoutSeconds: number;
}

/** What follows from the settings. All of it is pure. */
interface Behaviour<Settings> {
  /** Releases that must be there, by name; they come before this one. @default none */
  readonly needs?: (settings: Settings) => readonly string[];
  /** Releases that come before this one where the region has them. @default none */
  readonly after?: readonly string[];
  /** Helm values for a region. The user's own values are merged over them. */
  readonly values: (topology: Topology, settings: Settings) => Values;
  /** What it runs. */
  readonly workloads: (topology: Topology, settings: Settings) => readonly Workload[];
  /** Secrets that it reads, made before the chart. @default none */
  readonly secrets?: (topology: Topology, settings: Settings) => readonly SecretDefinition[];
  /**
   * Values that put annotations on the chart's pods which read Secrets of the release only when they start: these pods
   * start anew whenever such a Secret has another content. @default what reads them sees the change by itself
   */
  readonly podAnnotations?: (annotations: PodAnnotations) => Values;
  /** Objects beside the chart's, made after it. @default none */
  readonly objects?: (topology: Topology, settings: Settings) => readonly Manifest[];
  /** @default nothing */
  readonly claims?: (topology: Topology, settings: Settings) => Claims;
  /** Numbers that its data hangs on; where its volumes are is kept for every release. @default none */
  readonly lasting?: Lasting<Settings>;
  /** How its data is saved before it moves, as an order. @default `back up its data` */
  readonly saving?: string;
  /** What is wrong with the settings in this region, beside what holds for every release. @default nothing */
  readonly problems?: (topology: Topology, settings: Settings) => readonly ReleaseProblem[];
}

/** A Helm release as this project knows it: one file a release says all of this. */
export interface ReleaseDefinition extends Facts, Behaviour<never> {
  /** Its settings, made by `releaseSettings`. */
  readonly schema: z.ZodObject;
}

/** Defines a release, with its settings' type taken from its schema. */
export const defineRelease = <Schema extends z.ZodObject>(
  definition: Facts & Behaviour<z.output<Schema>> & { readonly schema: Schema },
): ReleaseDefinition => definition;
