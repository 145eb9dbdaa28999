import { z } from "zod";
import type { RegionRanges } from "./region-settings.ts";

/** The form of the record that this version writes. Raised when a reader of the old form would go wrong. */
export const DEPLOYED_SCHEMA = 1;

const contact = z.object({
  name: z.string(),
  // A record of an earlier version has none: its servers then count as reached in another way, once.
  reach: z.string().default(""),
  host: z.string(),
  port: z.number(),
  user: z.string(),
  hostKey: z.string(),
  jump: z.object({ host: z.string(), port: z.number(), user: z.string(), hostKey: z.string() }).optional(),
});

const deployedNode = z.object({
  name: z.string(),
  role: z.enum(["server", "agent"]),
  site: z.string(),
  pool: z.string(),
  generation: z.number(),
  address: z.string(),
  // The kind of its site; a record of an earlier version has none.
  provider: z.string().optional(),
  // What is changed in place once the node is drained; see Machine.shape.
  shape: z.string().optional(),
  // See Machine.placementGroup.
  placementGroup: z.number().optional(),
});

const lastingRecord = z.object({
  // The pools that its volumes are in, as <site>/<pool>, by workload.
  volumes: z.record(z.string(), z.array(z.string())),
  // See Lasting.facts.
  facts: z.record(z.string(), z.number()),
});

const deployedRecord = z.object({
  schema: z.literal(DEPLOYED_SCHEMA),
  region: z.string(),
  versions: z.object({
    kubernetes: z.string(),
    // Where Cilium is the pod network.
    cilium: z.string().optional(),
    releases: z.record(z.string(), z.string()),
  }),
  // A record of an earlier version has neither: there was one pod network then, and no mesh.
  cni: z.string().default("flannel-vxlan"),
  mesh: z.string().default("none"),
  ranges: z.object({ pods: z.string(), services: z.string() }) satisfies z.ZodType<RegionRanges>,
  // What the sites' machines call each other by; a record of an earlier version has none.
  sites: z.record(z.string(), z.object({ lan: z.string(), nodeAddresses: z.enum(["lan", "mesh"]) })).optional(),
  nodes: z.array(deployedNode),
  contacts: z.array(contact),
  // What data hangs on, by release; a record of an earlier version has none: whatever that update makes is what is kept.
  lasting: z.record(z.string(), lastingRecord).optional(),
  // What the machines cost a month by the catalogues, by currency; a record of an earlier version has none.
  costs: z.record(z.string(), z.number()).default({}),
});

/** The non-secret record of a region that the stack exports as `deployed`: next run's guardrails and the tools read it. */
export type Deployed = z.infer<typeof deployedRecord>;

/**
 * Reads a `deployed` output of an earlier run.
 * @param value what the stack exported; undefined before the first successful run
 * @throws Error with a word on what to do, if the record was written in a form that this version cannot read
 */
export function parseDeployed(value: unknown): Deployed | undefined {
  if (value === undefined || value === null) return undefined;
  const schema = (value as { schema?: unknown }).schema;
  if (schema !== DEPLOYED_SCHEMA) {
    throw new Error(
      `deployed.schema: found ${schema === undefined ? "nothing" : JSON.stringify(schema)} · allowed ${DEPLOYED_SCHEMA} · fix: ${
        typeof schema === "number" && schema > DEPLOYED_SCHEMA
          ? "this stack was last updated by a newer hybrid-k3s; use that version or a newer one"
          : "the record is damaged; repair the `deployed` output with pulumi stack export and import, then run again"
      }`,
    );
  }
  const parsed = deployedRecord.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Error(
    `deployed: found a record that schema ${DEPLOYED_SCHEMA} does not describe · fix: repair it with pulumi stack export and import\n${z.prettifyError(parsed.error)}`,
  );
}
