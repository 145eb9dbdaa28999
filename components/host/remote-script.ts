import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { SshHop, SshTarget } from "../machine.ts";
import { remoteCommandText, type ScriptLimits } from "./command-text.ts";
import { digest, type ScriptFile } from "./script-file.ts";
import { programBody, scriptProgram, type ScriptSecrets } from "./script-program.ts";

/** What a script does at one point of its resource's life. */
export interface ScriptAction {
  /** What the script is asked to do; it reads this as `ACTION`. */
  readonly action: string;
  /** Values by upper-case name, never a secret. A preview shows them. */
  readonly parameters: Readonly<Record<string, pulumi.Input<string>>>;
}

/** Arguments of {@link remoteScript}. */
export interface RemoteScriptArgs {
  readonly script: ScriptFile;
  readonly target: SshTarget;
  readonly privateKey: pulumi.Input<string>;
  readonly create: ScriptAction;
  /** Runs on any change. */
  readonly update: ScriptAction;
  readonly secrets: ScriptSecrets;
  /** A changed trigger replaces the script: `create` runs again. */
  readonly triggers: readonly pulumi.Input<string>[];
  /** Seconds that sshd may take to answer. */
  readonly connectSeconds: number;
  /** Seconds that the script may run. */
  readonly limitSeconds: number;
}

/** The longest that one failed try takes: ten seconds to dial, five to wait for the next. */
const SECONDS_A_TRY = 15;
/** What the plugin's dial is told to give up after. */
const triesWithin = (seconds: number): number => Math.max(1, Math.ceil(seconds / SECONDS_A_TRY));

const hop = (target: SshHop, privateKey: pulumi.Input<string>, connectSeconds: number) => ({
  host: target.host,
  port: target.port,
  user: target.user,
  hostKey: target.hostKey,
  privateKey,
  // A number of tries, not -1: without a limit the plugin dials until the resource's timeout, half an hour that a
  // script may need, and then says only that time ran out. With one it says what it met: a closed port, a wrong host
  // key, a refused login. A machine that boots is waited for before this, by the first contact.
  dialErrorLimit: triesWithin(connectSeconds),
  perDialTimeout: 10,
});

/** How long a second run may wait for the first one to leave the host. Seconds. */
export const LOCK_SECONDS = 120;

/**
 * A script that runs on one host, as root, over SSH with the host's key pinned.
 *
 * Together with {@link stationScript} the only way that this project touches a host.
 */
export function remoteScript(
  name: string,
  args: RemoteScriptArgs,
  options: pulumi.CustomResourceOptions,
): remote.Command {
  const limits: ScriptLimits = { timeoutSeconds: args.limitSeconds, lockSeconds: LOCK_SECONDS };
  const command = ({ action, parameters }: ScriptAction): pulumi.Output<string> =>
    pulumi
      .all({ PROGRAM: digest(programBody(args.script)), ...parameters })
      .apply((values) => remoteCommandText({ script: args.script.name, action, parameters: values }, limits));
  const timeout = `${args.connectSeconds + LOCK_SECONDS + args.limitSeconds + 30}s`;
  return new remote.Command(
    name,
    {
      connection: {
        ...hop(args.target, args.privateKey, args.connectSeconds),
        ...(args.target.jump === undefined
          ? {}
          : { proxy: hop(args.target.jump, args.privateKey, args.connectSeconds) }),
      },
      create: command(args.create),
      update: command(args.update),
      stdin: scriptProgram(args.script, args.secrets),
      triggers: [...args.triggers],
      // A line over 64 KiB in a logged stream hangs the plugin, and streams are shown even when they are secret:
      // https://github.com/pulumi/pulumi-command/issues/260
      logging: "none",
      addPreviousOutputInEnv: false,
    },
    pulumi.mergeOptions(options, {
      additionalSecretOutputs: ["stdout", "stderr"],
      customTimeouts: { create: timeout, update: timeout },
      deleteBeforeReplace: true,
    }),
  );
}
