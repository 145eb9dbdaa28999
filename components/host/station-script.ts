import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { SshHop, SshTarget } from "../machine.ts";
import { stationCommandText } from "./command-text.ts";
import { LOCK_SECONDS, type ScriptAction } from "./remote-script.ts";
import { digest, scriptFile, type ScriptFile } from "./script-file.ts";
import { programBody, scriptProgram, type ScriptSecrets } from "./script-program.ts";

const overSsh = scriptFile(new URL("./scripts/over-ssh.sh", import.meta.url));

/** A host that a station script may run on. */
export interface Contact extends SshTarget {
  /** The machine's name, for messages. */
  readonly name: string;
}

/** One point of a station script's life. */
export interface StationAction extends ScriptAction {
  /** Hosts in order of preference: the first that can be reached runs the script. */
  readonly contacts: readonly Contact[];
  /** Seconds to keep trying to reach one of them. */
  readonly connectSeconds: number;
  /** What to do when none can be reached: `fail`, or `leave` the host as it is, say so, and go on. @default "fail" */
  readonly unreachable?: "fail" | "leave";
  /**
   * Whether the host may be at its first boot, with an sshd that has neither its host key nor its login yet: both are
   * waited for then, within `connectSeconds`, and not refused at once.
   * @default false
   */
  readonly booting?: boolean;
  /**
   * What the same script is asked to do next, over a second connection of its own, on the host that has just done `action`.
   * If that fails the step fails with {@link UNCONFIRMED}, and the script's roll-back on the host takes the change back.
   * @default nothing
   */
  readonly confirmAction?: string;
}

/** Exit code of a station script whose change was made but not confirmed. */
export const UNCONFIRMED = 76;

/** Arguments of {@link stationScript}. */
export interface StationScriptArgs {
  readonly script: ScriptFile;
  readonly privateKey: pulumi.Input<string>;
  /** Tried where `privateKey` is refused. @default none */
  readonly previousKey?: pulumi.Input<string>;
  /** @default nothing happens on create */
  readonly create?: StationAction;
  readonly update: StationAction;
  /** @default nothing happens on delete */
  readonly delete?: StationAction;
  readonly secrets?: ScriptSecrets;
  readonly triggers?: readonly pulumi.Input<string>[];
  /** Seconds that the script may run on the host. */
  readonly limitSeconds: number;
  /**
   * Name of the lock that the script holds on the host: work on different nodes goes through one server side by side.
   * @default "hybrid-k3s", the host's own
   */
  readonly lock?: string;
  /**
   * Who the script runs as on the host: `root`, one at a time, within its limit; or the login user, on a host that is
   * not a machine of the region and may lack what Linux has for that (macOS).
   * @default "root"
   */
  readonly as?: "root" | "user";
}

const keyWords = (hostKey: string): string => hostKey.trim().split(/\s+/).slice(0, 2).join(" ");
const endpoint = ({ user, host, port, hostKey }: SshHop): pulumi.Output<string> =>
  pulumi
    .all([host, port, hostKey])
    .apply(([address, number, key]) => `${user}@${address}:${String(number)} ${keyWords(key)}`);
const targetLine = ({ name, jump, ...target }: Contact): pulumi.Output<string> =>
  pulumi
    .all([endpoint(target), ...(jump === undefined ? [] : [endpoint(jump)])])
    .apply((endpoints) => [name, ...endpoints].join(" "));

const parametersOf = (args: StationScriptArgs, point: StationAction): Record<string, pulumi.Input<string>> => ({
  PROGRAM: digest(programBody(overSsh) + programBody(args.script)),
  TARGETS: pulumi.all(point.contacts.map(targetLine)).apply((lines) => lines.join("\n")),
  CONNECT_SECONDS: String(point.connectSeconds),
  UNREACHABLE: point.unreachable ?? "fail",
  ...(point.booting === true ? { BOOTING: "yes" } : {}),
  ...(point.confirmAction === undefined ? {} : { CONFIRM_ACTION: point.confirmAction }),
  ...(args.as === "user" ? { AS_USER: "yes" } : {}),
  LOCK: args.lock ?? "hybrid-k3s",
  LOCK_SECONDS: String(LOCK_SECONDS),
  LIMIT_SECONDS: String(args.limitSeconds),
  SCRIPT: args.script.name,
  FORWARD: ["ACTION", ...Object.keys(point.parameters)].join(" "),
  ...point.parameters,
});

/**
 * A script that this computer runs on the first host it can reach, by its own OpenSSH client.
 *
 * Used where one fixed connection is not enough: the first contact with a host, which tells a closed port from a wrong
 * host key from a refused login; work on the cluster that any server can do, so that no server is special; and leaving
 * a host that may be dead. The command plugin's own connection can do none of the three: it dials one host, retries a
 * wrong host key until its timeout, and fails a destroy whose host is gone.
 */
export function stationScript(
  name: string,
  args: StationScriptArgs,
  options: pulumi.CustomResourceOptions,
): local.Command {
  const text = (point: StationAction): pulumi.Output<string> =>
    pulumi
      .all(parametersOf(args, point))
      .apply((parameters) => stationCommandText({ script: args.script.name, action: point.action, parameters }));
  const runSeconds = LOCK_SECONDS + args.limitSeconds + 30;
  const timeout = ({ connectSeconds, confirmAction }: StationAction): string =>
    `${connectSeconds + runSeconds * (confirmAction === undefined ? 1 : 2)}s`;
  return new local.Command(
    name,
    {
      interpreter: ["/bin/bash", "-c"],
      ...(args.create === undefined ? {} : { create: text(args.create) }),
      update: text(args.update),
      ...(args.delete === undefined ? {} : { delete: text(args.delete) }),
      stdin: scriptProgram(overSsh, {
        SSH_PRIVATE_KEY: args.privateKey,
        ...(args.previousKey === undefined ? {} : { PREVIOUS_SSH_PRIVATE_KEY: args.previousKey }),
        REMOTE_PROGRAM: scriptProgram(args.script, args.secrets ?? {}),
      }),
      ...(args.triggers === undefined ? {} : { triggers: [...args.triggers] }),
      // Progress lines go to standard error, are short, and never hold a secret: the only output that is shown.
      logging: "stderr",
      addPreviousOutputInEnv: false,
    },
    pulumi.mergeOptions(options, {
      additionalSecretOutputs: ["stdout", "stderr"],
      customTimeouts: {
        create: timeout(args.create ?? args.update),
        update: timeout(args.update),
        delete: timeout(args.delete ?? args.update),
      },
      deleteBeforeReplace: true,
    }),
  );
}
