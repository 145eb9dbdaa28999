import { setTimeout as sleep } from "node:timers/promises";
import type { ScriptCall } from "../../components/host/command-text.ts";
import { UNCONFIRMED } from "../../components/host/station-script.ts";
import { fingerprint, keyWords, takesKey, type Host } from "../world/host.ts";
import { DURATIONS } from "../world/durations.ts";
import type { World } from "../world/world.ts";
import type { CommandRun } from "./backend.ts";
import { playScript, secretsOf, type Played } from "./simulated.ts";

/** One host that a station script may run on, as its TARGETS name it. */
interface Target {
  readonly name: string;
  readonly user: string;
  readonly host: string;
  readonly port: number;
  readonly key: string;
  readonly jump?: Omit<Target, "jump" | "name">;
}

/** How far a connection came. */
type Phase =
  | { readonly kind: "OK"; readonly host: Host }
  | { readonly kind: "TCP"; readonly word: string; readonly readyIn: number }
  | { readonly kind: "HOSTKEY"; readonly expected: string; readonly found: string }
  | { readonly kind: "LOGIN" }
  | { readonly kind: "ELSEWHERE" };

function parseEndpoint(text: string): { user: string; host: string; port: number } {
  const at = text.indexOf("@");
  const colon = text.lastIndexOf(":");
  return {
    user: text.slice(0, at),
    host: text.slice(at + 1, colon).replace(/^\[|\]$/g, ""),
    port: Number(text.slice(colon + 1)),
  };
}

/** Reads the lines of TARGETS: `name user@host:port key-type key [jump-user@jump-host:port key-type key]`. */
function parseTargets(text: string): Target[] {
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([name]) => name !== undefined && name !== "")
    .map(([name = "", endpoint = "", type = "", key = "", jump, jumpType = "", jumpKey = ""]) => ({
      name,
      ...parseEndpoint(endpoint),
      key: `${type} ${key}`,
      ...(jump === undefined ? {} : { jump: { ...parseEndpoint(jump), key: `${jumpType} ${jumpKey}` } }),
    }));
}

function knock(
  world: World,
  host: Host | undefined,
  at: { host: string; port: number; key: string },
  keys: readonly string[],
): Phase {
  const tcp = (word: string, readyIn = Infinity): Phase => ({
    kind: "TCP",
    word: `ssh: connect to host ${at.host} port ${at.port}: ${word}`,
    readyIn,
  });
  if (host?.alive !== true || (host.firewalled && !world.isInMesh(host, at.host))) return tcp("Connection timed out");
  if (!host.sshUp) return tcp("Connection refused");
  if (host.bootSeconds > 0) return tcp("Connection refused", host.bootSeconds);
  if (keyWords(at.key) !== host.hostKey) {
    return { kind: "HOSTKEY", expected: fingerprint(at.key), found: fingerprint(host.hostKey) };
  }
  if (!keys.some((key) => takesKey(host, key))) return { kind: "LOGIN" };
  return { kind: "OK", host };
}

/** Scripts that any server can do whose API answers; one that cannot passes the work on to the next. */
const NEEDS_API: ReadonlySet<string> = new Set(["k3s-member", "k3s-pause", "crds", "cni-cilium", "cilium-pool"]);

const hasApi = (host: Host): boolean =>
  host.k3s.role === "server" && host.k3s.cluster?.runs(host) === true && host.k3s.cluster.apiUp();

function attempt(world: World, target: Target, script: string, keys: readonly string[]): Phase {
  if (target.jump !== undefined) {
    const first = knock(world, world.at(target.jump.host, target.jump.port), target.jump, keys);
    if (first.kind !== "OK") return first;
  }
  const reached = knock(world, world.at(target.host, target.port, target.jump), target, keys);
  return reached.kind === "OK" && NEEDS_API.has(script) && !hasApi(reached.host) ? { kind: "ELSEWHERE" } : reached;
}

/** The lines of components/host/scripts/over-ssh.sh. */
function explain(target: Target, phase: Phase, connectSeconds: number): string {
  const at = `${target.name} (${target.host} port ${target.port})`;
  switch (phase.kind) {
    case "TCP":
      return `TCP: ${at} did not answer within ${connectSeconds} s: ${phase.word} · fix: is it on, is the address right, does a firewall stand between?`;
    case "HOSTKEY":
      return `SSH: the host key of ${at} is not the pinned one · expected ${phase.expected} · found ${phase.found} · fix: if the host was reinstalled, set its new hostKey and raise its generation; if not, find out who answers there`;
    case "LOGIN":
      return `SSH: ${at} refused the login as ${target.user} · fix: add the public half of hybrid-k3s:sshPrivateKey to that user's authorized_keys`;
    case "ELSEWHERE":
      return `API: ${at} is reached, but the API of this server does not answer · fix: look at k3s there: systemctl status k3s; journalctl -u k3s -e`;
    case "OK":
      return "";
  }
}

const dropped = (target: Target): string =>
  `SSH: the connection to ${target.name} (${target.host} port ${target.port}) broke while the script ran: client_loop: send disconnect: Broken pipe · fix: run again; every script takes up where it stopped`;

/** Pause between two rounds over the targets. Seconds. */
const RETRY_SECONDS = 2;

/** What the station script does: the first target that can be reached and logged in to runs the script. */
export async function reachFirst(world: World, call: ScriptCall, run: CommandRun): Promise<Played> {
  const { TARGETS = "", CONNECT_SECONDS, UNREACHABLE, LIMIT_SECONDS, SCRIPT = call.script } = call.parameters;
  const connectSeconds = Number(CONNECT_SECONDS ?? 0);
  const targets = parseTargets(TARGETS);
  const { SSH_PRIVATE_KEY = "", PREVIOUS_SSH_PRIVATE_KEY = "" } = secretsOf(run.stdin);
  const keys = [SSH_PRIVATE_KEY, ...(PREVIOUS_SSH_PRIVATE_KEY === "" ? [] : [PREVIOUS_SSH_PRIVATE_KEY])];
  let waited = 0;
  for (;;) {
    await sleep(1, undefined, { signal: run.signal });
    const phases = targets.map((target) => ({ target, phase: attempt(world, target, call.script, keys) }));
    const open = phases.find(({ phase }) => phase.kind === "OK");
    if (open?.phase.kind === "OK") {
      const limitSeconds = Number(LIMIT_SECONDS ?? 3600);
      const played = await playScript(world, open.phase.host, { ...call, limitSeconds }, run);
      // This server cannot after all: the next round finds another, or waits for it.
      if (played.code === 69 && waited + RETRY_SECONDS <= connectSeconds) {
        waited += RETRY_SECONDS;
        continue;
      }
      const done = { ...played, seconds: waited + DURATIONS.ssh + played.seconds };
      if (done.code === 0 && call.parameters["CONFIRM_ACTION"] !== undefined) {
        return confirmChange(world, { ...open.target, reached: open.phase.host }, call, run, done, keys);
      }
      if (done.code === undefined) takeBack(world, open.phase.host, call, run);
      return closing(open.target, call, SCRIPT, done);
    }
    // A boot is played as a port that is closed until it is over, so BOOTING has nothing to wait for here.
    const readyIn = Math.min(...phases.map(({ phase }) => (phase.kind === "TCP" ? phase.readyIn : Infinity)));
    if (waited + readyIn <= connectSeconds) {
      waited += readyIn;
      for (const host of world.hosts.values()) host.bootSeconds = Math.max(0, host.bootSeconds - readyIn);
      continue;
    }
    // An API that is starting may answer at the next try; other work goes on meanwhile.
    if (phases.some(({ phase }) => phase.kind === "ELSEWHERE") && waited + RETRY_SECONDS <= connectSeconds) {
      waited += RETRY_SECONDS;
      continue;
    }
    const lines = phases.map(({ target, phase }) => explain(target, phase, connectSeconds));
    if (phases.some(({ phase }) => phase.kind === "TCP" || phase.kind === "ELSEWHERE")) waited = connectSeconds;
    // A host that answers and refuses the login is not dead: it is not left behind in silence.
    if (UNREACHABLE === "leave" && !phases.some(({ phase }) => phase.kind === "LOGIN")) {
      const left = `left as it is: ${lines.join(" ") || "no host named"} · k3s and its data are still on it: when it is back, run /usr/local/bin/k3s-uninstall.sh or k3s-agent-uninstall.sh there, and rm -r /etc/hybrid-k3s`;
      world.record({ ...about(call, run), kind: "change", text: left, seconds: waited });
      return { lines: [], errors: [left], code: 0, seconds: waited };
    }
    return {
      lines: [],
      errors: [...lines, `nothing was changed by ${SCRIPT} ${call.action}`],
      code: 1,
      seconds: waited,
    };
  }
}

/** Seconds within which a second connection is tried. */
const CONFIRM_SECONDS = 30;

/** What the host does by itself once the time is over in which a change can be confirmed. */
function takeBack(world: World, host: Host, call: ScriptCall, run: CommandRun): void {
  const text = host.takeBack?.();
  host.takeBack = undefined;
  if (text !== undefined) world.record({ ...about(call, run), host: host.name, kind: "change", text, seconds: 0 });
}

/** The second connection, which confirms what the script has changed; without it the host takes the change back. */
async function confirmChange(
  world: World,
  target: Target & { readonly reached: Host },
  call: ScriptCall,
  run: CommandRun,
  first: Played,
  keys: readonly string[],
): Promise<Played> {
  const { CONFIRM_ACTION: action = "", LIMIT_SECONDS, SCRIPT = call.script } = call.parameters;
  const { name, host, port, reached } = target;
  const phase: Phase = world.faults.shutsOut(name)
    ? { kind: "TCP", word: `ssh: connect to host ${host} port ${port}: Connection timed out`, readyIn: Infinity }
    : attempt(world, target, call.script, keys);
  const second =
    phase.kind === "OK"
      ? await playScript(world, phase.host, { ...call, action, limitSeconds: Number(LIMIT_SECONDS ?? 3600) }, run)
      : { lines: [], errors: [], code: undefined, seconds: CONFIRM_SECONDS };
  const lines = [...first.lines, ...second.lines];
  const seconds = first.seconds + DURATIONS.ssh + second.seconds;
  if (second.code === 0) return { ...second, lines, seconds };
  takeBack(world, reached, call, run);
  const ended = second.code === undefined ? "no answer" : `it ended with ${second.code}`;
  const errors = [
    ...second.errors,
    `confirm: ${SCRIPT} ${action} was not done on ${name} (${host} port ${port}) over a new connection: ${phase.kind === "TCP" ? phase.word : ended}`,
    `the host itself rolls back within a minute what ${SCRIPT} ${call.action} changed, and can be reached as before`,
    "check: does the change let this computer in, at the address that the host sees (access.from, the jump host, the mesh)? then run again",
  ];
  return { lines, errors, code: UNCONFIRMED, seconds };
}

const about = (call: ScriptCall, run: CommandRun) => ({
  resource: run.resource,
  host: "",
  script: call.script,
  action: call.action,
  node: call.parameters["NODE_NAME"] ?? "",
});

function closing(target: Target, call: ScriptCall, script: string, played: Played): Played {
  if (played.code === 0) return played;
  if (played.code === undefined) return { ...played, errors: [dropped(target)], code: 1 };
  const ended = `script: ${script} ${call.action} ended with ${played.code} on ${target.name} (${target.host})`;
  return { ...played, errors: [...played.errors, ended], code: 1 };
}
