import { z } from "zod";
import { parseCommandText } from "../../components/host/command-text.ts";
import { parseDeployed, type Deployed } from "../../stacks/deployed.ts";
import type { Endpoint, Target } from "./evidence.ts";

const HOST = /::(?<name>[^:]+)-host$/;

const stateFile = z.object({
  deployment: z.object({
    resources: z
      .array(
        z.object({
          type: z.string(),
          urn: z.string(),
          delete: z.boolean().optional(),
          inputs: z.record(z.string(), z.unknown()).optional(),
          outputs: z.record(z.string(), z.unknown()).optional(),
        }),
      )
      .optional(),
  }),
});
type Resource = NonNullable<z.infer<typeof stateFile>["deployment"]["resources"]>[number];

/** A secret as `pulumi stack export --show-secrets` writes it: its plain text is JSON again. */
const shownSecret = z.object({ plaintext: z.string() });

function shown(value: unknown): unknown {
  const { success, data } = shownSecret.safeParse(value);
  return success ? (JSON.parse(data.plaintext) as unknown) : value;
}

/** Reads `user@host:port type key`; an IPv6 host may stand in brackets. */
function endpointOf(words: readonly string[]): Endpoint | undefined {
  const [place = "", type, key] = words;
  const { user, host, port } = /^(?<user>[^@]+)@\[?(?<host>[^\]]+)\]?:(?<port>\d+)$/.exec(place)?.groups ?? {};
  if (user === undefined || host === undefined || type === undefined || key === undefined) return undefined;
  return { user, host, port: Number(port), hostKey: `${type} ${key}` };
}

/**
 * Reads one line of a station script's `TARGETS`: `name user@host:port type key [user@host:port type key]`.
 * @returns undefined if it is none
 */
export function targetOf(line: string): Target | undefined {
  const [name, ...words] = line.trim().split(/\s+/);
  const endpoint = endpointOf(words);
  const jump = endpointOf(words.slice(3));
  if (name === undefined || endpoint === undefined) return undefined;
  return { name, ...endpoint, ...(jump === undefined ? {} : { jump }) };
}

/** How the resource that is a host reached it when it last did. */
function targetIn({ urn, inputs = {} }: Resource): Target | undefined {
  const name = HOST.exec(urn)?.groups?.["name"];
  const text = [inputs["update"], inputs["create"]].map(shown).find((value) => typeof value === "string");
  if (name === undefined || text === undefined) return undefined;
  const lines = (parseCommandText(text)?.parameters["TARGETS"] ?? "").split("\n");
  return lines.map(targetOf).find((target) => target?.name === name);
}

/** What a stack's state says of a region. */
export interface StackState {
  readonly deployed: Deployed;
  /** How each machine is reached, whatever the kind of its site. */
  readonly targets: readonly Target[];
}

/**
 * Finds in an exported state what runs and how it is reached.
 * @param exported what `pulumi stack export --show-secrets` printed
 * @throws Error with the fix, if the stack has no region that runs
 */
export function readState(exported: string): StackState {
  const resources = (stateFile.parse(JSON.parse(exported)).deployment.resources ?? []).filter(
    (resource) => resource.delete !== true,
  );
  const stack = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  const deployed = parseDeployed(shown(stack?.outputs?.["deployed"]));
  if (deployed === undefined) {
    throw new Error("found no region in the stack's state · fix: pulumi up first, or name another stack");
  }
  const hosts = resources.filter(({ type }) => type === "command:local:Command");
  return { deployed, targets: hosts.flatMap((host) => targetIn(host) ?? []) };
}
