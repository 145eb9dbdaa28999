import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { stationCommandText } from "./command-text.ts";
import type { ScriptAction } from "./remote-script.ts";
import { digest, type ScriptFile } from "./script-file.ts";
import { programBody, scriptProgram, type ScriptSecrets } from "./script-program.ts";

/** Arguments of {@link localScript}. */
export interface LocalScriptArgs {
  readonly script: ScriptFile;
  readonly create: ScriptAction;
  /** Runs on any change. */
  readonly update: ScriptAction;
  /** Runs with the values of the last create or update. @default nothing happens on delete */
  readonly delete?: ScriptAction;
  /** @default none */
  readonly secrets?: ScriptSecrets;
  /** A changed trigger replaces the script: `delete` runs, then `create`. @default none */
  readonly triggers?: readonly pulumi.Input<string>[];
  /** Seconds that one action may run; it is ended then. */
  readonly limitSeconds: number;
}

/** What the plugin itself may need around a script. Seconds. */
const MARGIN_SECONDS = 30;

/**
 * A script that runs on this computer and stays on it, or speaks to an API: no SSH is in between. For bash 3.2, which
 * macOS has.
 */
export function localScript(name: string, args: LocalScriptArgs, options: pulumi.CustomResourceOptions): local.Command {
  const text = ({ action, parameters }: ScriptAction): pulumi.Output<string> =>
    pulumi
      .all({ PROGRAM: digest(programBody(args.script)), ...parameters })
      .apply((values) => stationCommandText({ script: args.script.name, action, parameters: values }));
  // Neither macOS nor every Linux has `timeout`: the engine's own limit ends a script that hangs.
  const timeout = `${args.limitSeconds + MARGIN_SECONDS}s`;
  return new local.Command(
    name,
    {
      interpreter: ["/bin/bash", "-c"],
      create: text(args.create),
      update: text(args.update),
      ...(args.delete === undefined ? {} : { delete: text(args.delete) }),
      stdin: scriptProgram(args.script, args.secrets ?? {}),
      ...(args.triggers === undefined ? {} : { triggers: [...args.triggers] }),
      // Progress lines go to standard error, are short, and never hold a secret: the only output that is shown.
      logging: "stderr",
      addPreviousOutputInEnv: false,
    },
    pulumi.mergeOptions(options, {
      additionalSecretOutputs: ["stdout", "stderr"],
      customTimeouts: { create: timeout, update: timeout, delete: timeout },
      deleteBeforeReplace: true,
    }),
  );
}
