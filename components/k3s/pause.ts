import type * as pulumi from "@pulumi/pulumi";
import type { LoginKey } from "../bootstrap/login-key.ts";
import { scriptFile } from "../host/script-file.ts";
import { stationScript, type Contact } from "../host/station-script.ts";
import type { MachineSpec } from "../machine.ts";
import { contactsFor } from "./contacts.ts";

const pauseScript = scriptFile(new URL("./scripts/k3s-pause.sh", import.meta.url));

/** Arguments of {@link pauseNode}. */
export interface PauseNodeArgs {
  readonly spec: MachineSpec;
  readonly region: string;
  /** What the machine is to be, such as `3 CPUs, 8 GiB`. */
  readonly shape: string;
  /** What the last successful run left it as. @default it is not in the cluster yet */
  readonly earlierShape?: string;
  /** Servers of the last successful run: the ones of this run may be the very machines that change. */
  readonly contacts: readonly Contact[];
  readonly login: LoginKey;
  readonly connectSeconds: number;
  readonly drainSeconds: number;
}

/**
 * Takes the work off a node before its machine is stopped to be changed. What changes the machine comes after it; the
 * node's membership gives the work back.
 *
 * It does something only in an update that changes the machine's shape. In all others what it was made with is kept: the
 * servers that it would go through are those of the run before, and change without any need to touch it.
 */
export function pauseNode(args: PauseNodeArgs, options: pulumi.CustomResourceOptions): pulumi.Resource {
  const { spec, shape, earlierShape } = args;
  const changes = earlierShape !== undefined && earlierShape !== shape;
  return stationScript(
    `${spec.name}-pause`,
    {
      script: pauseScript,
      privateKey: args.login.privateKey,
      ...(args.login.previous === undefined ? {} : { previousKey: args.login.previous }),
      update: {
        action: "pause",
        parameters: {
          NODE_NAME: spec.name,
          ROLE: spec.role,
          REGION: args.region,
          SHAPE: shape,
          DRAIN_SECONDS: String(args.drainSeconds),
        },
        contacts: contactsFor(spec.name, args.contacts),
        connectSeconds: args.connectSeconds,
      },
      lock: `hybrid-k3s-member-${spec.name}`,
      limitSeconds: args.drainSeconds + 120,
    },
    { ...options, ...(changes ? {} : { ignoreChanges: ["update", "stdin"] }) },
  );
}
