import { readFileSync } from "node:fs";
import { shellQuote } from "../../components/host/command-text.ts";
import { ClockReader } from "./clock-reader.ts";
import type { HostFacts, Reached, Target, Way } from "./evidence.ts";
import { parseLook } from "./parse-look.ts";
import { parseReach } from "./parse-reach.ts";
import type { WayPlan } from "./plan.ts";
import type { Ssh, SshAnswer, SshCall } from "./ssh.ts";

const body = readFileSync(new URL("./scripts/probe.sh", import.meta.url), "utf8");
/** One function that is called last: a connection that breaks while it is sent runs nothing. */
const PROGRAM = `main() {\n${body}\n}\nmain\n`;

/** How long a look may take, and how long the ways to so many nodes. Seconds. */
const LOOK_SECONDS = 60;
const reachSeconds = (ways: number): number => 60 + 40 * Math.ceil(ways / 8);

/** What a host is asked about. */
export interface Question {
  readonly mesh: "none" | "tailscale" | "netbird";
  readonly units: readonly string[];
  readonly interfaces: readonly string[];
}

/** The command for a host: root, who may ask everything, and no longer than that. */
function commandOf(parameters: Readonly<Record<string, string>>, seconds: number): string {
  const words = Object.entries(parameters).map(([name, value]) => `${name}=${shellQuote(value)}`);
  return `as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
as_root env ${words.join(" ")} timeout -k 5 ${seconds} bash -s`;
}

/** An answer without its last line was cut off. */
function whole({ reached, stdout }: SshAnswer): Reached {
  if (reached.phase !== "ok" || stdout.endsWith("done\n")) return reached;
  return { phase: "probe", word: "its answer was cut off" };
}

/** A connection that was refused for a moment, as sshd does when many come at once, is tried once more. */
async function twice(ssh: Ssh, target: Target, call: SshCall): Promise<SshAnswer> {
  const first = await ssh.run(target, call);
  return first.reached.phase === "tcp" && first.stdout === "" ? ssh.run(target, call) : first;
}

/** Looks at one host. */
export async function look(
  ssh: Ssh,
  target: Target,
  question: Question,
): Promise<{ readonly reached: Reached; readonly facts?: HostFacts }> {
  const { mesh, units, interfaces } = question;
  const parameters = { ACTION: "look", MESH: mesh, UNITS: units.join(" "), INTERFACES: interfaces.join(" ") };
  const clock = new ClockReader();
  const command = commandOf(parameters, LOOK_SECONDS);
  const onOutput = (stdout: string): string | undefined => clock.hear(stdout);
  const answer = await twice(ssh, target, { command, input: PROGRAM, limitSeconds: LOOK_SECONDS + 20, onOutput });
  const reached = whole(answer);
  return reached.phase === "ok" ? { reached, facts: parseLook(answer.stdout, mesh, clock.reading) } : { reached };
}

/** Tries the ways from one host to others. Empty where the host is not reached any more. */
export async function reach(
  ssh: Ssh,
  target: Target,
  mesh: Question["mesh"],
  plans: readonly WayPlan[],
): Promise<{ readonly reached: Reached; readonly ways: readonly Way[] }> {
  const seconds = reachSeconds(plans.length);
  const lines = plans.map(({ to, address, peer, bytes }) =>
    [to, address, peer === undefined || peer === "unknown" || peer === "" ? "-" : peer, bytes ?? "-"].join(" "),
  );
  const parameters = { ACTION: "reach", MESH: mesh, TARGETS: lines.join("\n") };
  const command = commandOf(parameters, seconds);
  const answer = await twice(ssh, target, { command, input: PROGRAM, limitSeconds: seconds + 20 });
  const reached = whole(answer);
  return { reached, ways: reached.phase === "ok" ? parseReach(answer.stdout, plans) : [] };
}
