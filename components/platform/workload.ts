import type { Spot } from "./spot.ts";

/** CPU and memory that a pod asks for. */
export interface Requests {
  /** Thousandths of a CPU. */
  readonly cpu: number;
  /** MiB. */
  readonly memory: number;
}

/** What a release runs: what guardrails compare with the pools. */
export interface Workload {
  /** As people see it, such as `repo-server`. */
  readonly name: string;
  /** How many pods; or one on each machine of its spot. */
  readonly replicas: number | "every-node";
  /** What each pod asks for. */
  readonly requests: Requests;
  readonly spot: Spot;
  /** Whether two of its pods must not share a machine. @default false */
  readonly apart?: boolean;
  /** What each pod keeps on a volume. GiB. @default nothing */
  readonly volumeGiB?: number;
  /** Whether data lies on its machines of which settings know no size, such as other pods' volumes. @default false */
  readonly keepsData?: boolean;
  /** Whether a write waits for the other replicas. @default replicas share nothing */
  readonly replication?: "synchronous" | "asynchronous";
  /** Kernel settings of each machine of its spot, as lines of sysctl.d; a kernel that does not know one goes without. @default none */
  readonly kernel?: readonly string[];
}

/**
 * `resources` of a container, as charts take them. Memory is limited, for what leaks takes its neighbours with it; a CPU
 * is not, for a limit throttles also where CPUs are idle.
 * @param limit MiB at which it is ended. @default twice what it asks for
 */
export const resourcesOf = ({ cpu, memory }: Requests, limit = 2 * memory): Record<string, unknown> => ({
  requests: { cpu: `${cpu}m`, memory: `${memory}Mi` },
  limits: { memory: `${limit}Mi` },
});
