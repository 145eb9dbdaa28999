/** A connection as remote.Command takes it. */
export interface Hop {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Absent: any host key is taken, as the official plugin does. */
  readonly hostKey?: string;
  readonly privateKey?: string;
  /** Seconds for one TCP connection; 0: no limit. */
  readonly perDialTimeout: number;
  /** Tries before giving up; -1: until the step's own timeout. */
  readonly dialErrorLimit: number;
}

/** One command to run. */
export interface CommandRun {
  /** Logical name of the resource. */
  readonly resource: string;
  readonly text: string;
  readonly stdin: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds that the step may take; undefined: no limit. */
  readonly timeoutSeconds: number | undefined;
  readonly signal: AbortSignal;
}

/** A command for this computer. */
export interface LocalRun extends CommandRun {
  /** The program and its first arguments, such as `["/bin/sh", "-c"]`. */
  readonly interpreter: readonly string[];
  readonly directory?: string;
}

/** A command for a host. */
export interface RemoteRun extends CommandRun {
  readonly connection: Hop & { readonly proxy?: Hop };
}

/** What a command printed. */
export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the commands of the command stand-in: in the simulated world, or for real. Both throw what the plugin says. */
export interface CommandBackend {
  readonly local: (run: LocalRun) => Promise<CommandOutput>;
  readonly remote: (run: RemoteRun) => Promise<CommandOutput>;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\x07": String.raw`\a`,
  "\b": String.raw`\b`,
  "\f": String.raw`\f`,
  "\n": String.raw`\n`,
  "\r": String.raw`\r`,
  "\t": String.raw`\t`,
  "\v": String.raw`\v`,
  "\\": "\\\\",
  '"': String.raw`\"`,
};

/** Quotes a text as Go's `%q` does. */
export function goQuote(text: string): string {
  const quoted = Array.from(text, (character) => {
    const short = SHORT_ESCAPES[character];
    if (short !== undefined) return short;
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) return String.raw`\x${code.toString(16).padStart(2, "0")}`;
    return character;
  });
  return `"${quoted.join("")}"`;
}

/**
 * The error of a command that failed, as the official plugin words it.
 * https://github.com/pulumi/pulumi-command/blob/v1.2.1/provider/pkg/provider/local/commandOutputs.go
 */
export const commandError = (reason: string, text: string, output: string): Error =>
  new Error(`${reason}: running ${goQuote(text)}:\n${output}`);
