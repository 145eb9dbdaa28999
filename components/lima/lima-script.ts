import type * as pulumi from "@pulumi/pulumi";
import type { LoginKey } from "../bootstrap/login-key.ts";
import { localScript } from "../host/local-script.ts";
import type { ScriptAction } from "../host/remote-script.ts";
import { scriptFile } from "../host/script-file.ts";
import { stationScript } from "../host/station-script.ts";
import type { SshTarget } from "../machine.ts";

const SCRIPTS = {
  "lima-vm": scriptFile(new URL("./scripts/lima-vm.sh", import.meta.url)),
  "lima-address": scriptFile(new URL("./scripts/lima-address.sh", import.meta.url)),
};

/** What a script does at one point of a VM's life. */
export type LimaAction = ScriptAction;

/** Arguments of {@link limaScript}. */
export interface LimaScriptArgs {
  readonly script: keyof typeof SCRIPTS;
  /** The computer that runs the VM; undefined: this one. */
  readonly host: SshTarget | undefined;
  readonly login: LoginKey;
  readonly create: LimaAction;
  readonly update: LimaAction;
  /** @default nothing happens on delete */
  readonly delete?: LimaAction;
  readonly connectSeconds: number;
  readonly limitSeconds: number;
}

/** Runs a script as the user whose VMs they are: on this computer, or on the Lima host over SSH. */
export function limaScript(
  name: string,
  args: LimaScriptArgs,
  options: pulumi.CustomResourceOptions,
): ReturnType<typeof localScript> {
  const { host, login, connectSeconds, limitSeconds } = args;
  const script = SCRIPTS[args.script];
  if (host === undefined) {
    return localScript(
      name,
      {
        script,
        create: args.create,
        update: args.update,
        ...(args.delete === undefined ? {} : { delete: args.delete }),
        limitSeconds,
      },
      options,
    );
  }
  const reached = (action: LimaAction) => ({
    ...action,
    contacts: [{ name: "the-Lima-host", ...host }],
    connectSeconds,
  });
  return stationScript(
    name,
    {
      script,
      as: "user",
      privateKey: login.privateKey,
      ...(login.previous === undefined ? {} : { previousKey: login.previous }),
      create: reached(args.create),
      update: reached(args.update),
      ...(args.delete === undefined ? {} : { delete: reached(args.delete) }),
      limitSeconds,
    },
    options,
  );
}
