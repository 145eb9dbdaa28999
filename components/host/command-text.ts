/** One line of a script's command: which script, what it does, and with which values. Never a secret. */
export interface ScriptCall {
  /** Name of the script file without its ending, such as `k3s-node`. */
  readonly script: string;
  /** What the script is asked to do, such as `install`; it reaches the script as `ACTION`. */
  readonly action: string;
  /** Values by upper-case name. A preview shows them, so a changed value is a readable diff. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** How long a script may take on the host, and how long it waits for another run to end. Both in seconds. */
export interface ScriptLimits {
  readonly timeoutSeconds: number;
  readonly lockSeconds: number;
}

const HEADER = /^# hybrid-k3s (?<script>[a-z0-9-]+) (?<action>[a-z-]+)$/m;
const PARAMETER = /^ {2}(?<name>[A-Z][A-Z0-9_]*)='(?<value>(?:[^']|'\\'')*)'/gm;

/** Quotes a value for a POSIX shell. */
export const shellQuote = (value: string): string => `'${value.replaceAll("'", String.raw`'\''`)}'`;

const assignments = (call: ScriptCall): string =>
  Object.entries({ ACTION: call.action, ...call.parameters })
    .map(([name, value]) => `  ${name}=${shellQuote(value)} \\\n`)
    .join("");

/**
 * The command that a host runs: parameters as quoted assignments on top, the program on standard input.
 *
 * A failing command is quoted in full by @pulumi/command, so this text holds no secret and no script body: the program
 * and its secrets come by standard input. `flock` keeps two runs apart, and `timeout` ends a script that hangs, for
 * neither a cancelled nor a timed-out update stops a remote command
 * (https://github.com/pulumi/pulumi-command/blob/v1.2.1/provider/pkg/provider/remote/commandOutputs.go).
 */
export function remoteCommandText(call: ScriptCall, limits: ScriptLimits): string {
  return `# hybrid-k3s ${call.script} ${call.action}
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
as_root env \\
${assignments(call)}  flock -w ${limits.lockSeconds} -E 75 /var/lock/hybrid-k3s.lock timeout -k 10 ${limits.timeoutSeconds} bash -s
code=$?
case $code in
  75) echo "another run holds /var/lock/hybrid-k3s.lock on this host for over ${limits.lockSeconds} s; wait for it to end, then run again" >&2 ;;
  127) echo "the host lacks flock, timeout or bash · fix: install util-linux, coreutils and bash there" >&2 ;;
  124 | 137) echo "the script was ended after its ${limits.timeoutSeconds} s; look at: journalctl -u k3s -u k3s-agent -n 50" >&2 ;;
esac
exit $code`;
}

/** The command that this computer runs: the program on standard input reaches out to hosts by OpenSSH. */
export function stationCommandText(call: ScriptCall): string {
  return `# hybrid-k3s ${call.script} ${call.action}
exec env \\
${assignments(call)}  bash -s`;
}

/**
 * Reads a command back into its call: the rehearsal plays scripts by name and parameters.
 * @returns undefined if the text is not one of ours.
 */
export function parseCommandText(text: string): ScriptCall | undefined {
  const header = HEADER.exec(text)?.groups;
  if (header?.["script"] === undefined || header["action"] === undefined) return undefined;
  const parameters: Record<string, string> = {};
  for (const match of text.matchAll(PARAMETER)) {
    const { name, value } = match.groups as { name: string; value: string };
    if (name !== "ACTION") parameters[name] = value.replaceAll(String.raw`'\''`, "'");
  }
  return { script: header["script"], action: header["action"], parameters };
}
