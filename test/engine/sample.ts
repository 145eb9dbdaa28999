import { createHash } from "node:crypto";
import { stringify } from "yaml";
import { describeSteps, type RunRecord } from "../../rehearsal/engine/steps.ts";
import { Rehearsal, type RehearsalOptions } from "../../rehearsal/rehearsal.ts";
import { realEffects } from "../../tools/toolchain/effects.ts";
import { resolveCli } from "../../tools/toolchain/resolve.ts";

/** Resolved once per test file. */
const cli = resolveCli(realEffects((line) => console.error(line)));

/** A host key of the right form that only depends on a name. */
export function hostKey(name: string): string {
  const kind = Buffer.from("ssh-ed25519");
  const length = (bytes: Buffer): Buffer => {
    const field = Buffer.alloc(4);
    field.writeUInt32BE(bytes.length);
    return Buffer.concat([field, bytes]);
  };
  const key = createHash("sha256").update(name).digest();
  return `ssh-ed25519 ${Buffer.concat([length(kind), length(key)]).toString("base64")}`;
}

/** A machine's settings: its address ends in `last`. */
export const machine = (name: string, last: number, more: object = {}) => ({
  address: `172.26.0.${last}`,
  hostKey: hostKey(name),
  ...more,
});

/** Names and settings of the sample's servers. */
export const SERVERS = { "s-1": machine("s-1", 11), "s-2": machine("s-2", 12), "s-3": machine("s-3", 13) };
/** Names and settings of the sample's agents. */
export const AGENTS = { "a-1": machine("a-1", 21), "a-2": machine("a-2", 22) };

/** Settings of a region of three servers and two agents, by full name. */
export function sampleSettings({
  servers = SERVERS,
  agents = AGENTS,
  kubernetes = {},
  platform = {},
  accept = {},
}: {
  servers?: Readonly<Record<string, object>>;
  agents?: Readonly<Record<string, object>>;
  kubernetes?: object;
  platform?: object;
  accept?: Readonly<Record<string, string>>;
} = {}): Record<string, unknown> {
  const pools = {
    control: { role: "server", machines: servers },
    ...(Object.keys(agents).length === 0 ? {} : { work: { role: "agent", machines: agents } }),
  };
  return {
    "hybrid-k3s:region": "tokyo",
    "hybrid-k3s:kubernetes": { version: "v1.36.3+k3s1", ...kubernetes },
    "hybrid-k3s:sites": { rack: { provider: "existing", lan: "172.26.0.0/16", user: "ops", pools } },
    "hybrid-k3s:platform": platform,
    "hybrid-k3s:accept": accept,
  };
}

/** Settings of a region whose machines stand on these sites, by full name. */
export const settingsOf = (sites: object, more: object = {}): Record<string, unknown> => ({
  "hybrid-k3s:region": "tokyo",
  "hybrid-k3s:kubernetes": { version: "v1.36.3+k3s1" },
  "hybrid-k3s:sites": sites,
  "hybrid-k3s:accept": { "routed-sites": "a router joins them" },
  ...more,
});

/** Opens a rehearsal of the sample; `close` it in the end. */
export async function openSample(
  settings: Record<string, unknown> = sampleSettings(),
  more: Partial<RehearsalOptions> = {},
): Promise<Rehearsal> {
  return Rehearsal.open({
    stack: "sample",
    settingsText: stringify({ config: settings }),
    cli: await cli,
    ...more,
  });
}

/** A run that must succeed. @throws Error with what the engine said */
export async function fine(run: Promise<RunRecord>): Promise<RunRecord> {
  const record = await run;
  if (record.failure !== undefined) throw new Error(record.failure);
  return record;
}

/** Steps of a run as `op name`, sorted, without components. */
export const stepsOf = (record: RunRecord): string[] => describeSteps(record.steps, true);

/** What was done to the world while `work` ran, as `script action node`, in order of beginning. */
export async function scriptsDuring(rehearsal: Rehearsal, work: () => Promise<unknown>): Promise<string[]> {
  const before = rehearsal.world.events.length;
  await work();
  return rehearsal.world.events
    .slice(before)
    .filter(({ kind }) => kind === "begin")
    .map(({ script, action, node }) => `${script} ${action} ${node}`.trim());
}

/** Changes the settings, previews, updates, and previews again: the way people make an edit. */
export async function applyEdit(rehearsal: Rehearsal, settings: Record<string, unknown>) {
  await rehearsal.configure(settings);
  const steps = stepsOf(await fine(rehearsal.preview()));
  const before = rehearsal.world.events.length;
  const up = await fine(rehearsal.up());
  const events = rehearsal.world.events.slice(before);
  return {
    steps,
    upSteps: stepsOf(up),
    finished: up.finished.filter(({ custom }) => custom).map(({ op, name }) => `${op} ${name}`),
    scripts: events
      .filter(({ kind }) => kind === "begin")
      .map(({ script, action, node }) => `${script} ${action} ${node}`.trim()),
    events,
    second: stepsOf(await fine(rehearsal.preview())),
  };
}
