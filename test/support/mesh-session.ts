import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import type { EngineEvent, PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { connectMesh } from "../../provider/control/connect.ts";
import { meshProvider } from "../../provider/mesh-provider.ts";
import { textOf } from "../../provider/protocol/values.ts";
import type { Values } from "../../provider/protocol/wire.ts";
import { Session } from "../../rehearsal/engine/session.ts";
import type { StandIn } from "../../rehearsal/providers/stand-in.ts";
import { realEffects } from "../../tools/toolchain/effects.ts";
import { resolveCli } from "../../tools/toolchain/resolve.ts";

/** Resolved once per test file. */
const cli = resolveCli(realEffects((line) => console.error(line)));

/** What a played machine does with the key that it was made with: it joins, or it does not. */
export type Boot = (machine: { readonly hostname: string; readonly key: string }) => unknown;

/** Arguments of {@link Machine}. */
export interface MachineArgs {
  readonly hostname: pulumi.Input<string>;
  readonly key: pulumi.Input<string>;
  /** Another one is another machine. */
  readonly life: string;
}

/** A machine that joins at its first boot, as a cloud's does: what it was made with counts only then. */
export class Machine extends pulumi.CustomResource {
  constructor(name: string, args: MachineArgs, options?: pulumi.CustomResourceOptions) {
    super("played:index:Machine", name, { ...args }, { ignoreChanges: ["key"], deleteBeforeReplace: true, ...options });
  }
}

/** Makes machines, and boots each of them once. */
function machines(boot: () => Boot): StandIn {
  let made = 0;
  return {
    name: "played",
    version: "1.0.0",
    types: [
      {
        token: "played:index:Machine",
        replaceOn: ["hostname", "life"],
        computed: [],
        create: async ({ inputs }) => {
          await boot()({ hostname: textOf(inputs["hostname"]), key: textOf(inputs["key"]) });
          return { id: `machine-${++made}`, outputs: {} };
        },
      },
    ],
  };
}

/** What {@link openMesh} is opened with. */
export interface MeshSessionOptions {
  readonly program: PulumiFn;
  /** @default no machine joins */
  readonly boot?: Boot;
  /** The control plane's clock. @default the clock */
  readonly now?: () => number;
}

/** The provider of this project in the real engine, with machines that are played. */
export interface MeshSession {
  readonly session: Session;
  /** Changes what machines do at their first boot. */
  boot: Boot;
  /** Runs a program, and yields every event that the engine tells, those that nobody keeps included. */
  readonly events: (command: "preview" | "up", program: PulumiFn) => Promise<readonly EngineEvent[]>;
  /** All that stands in files of the state, as it stands there. */
  readonly stateFiles: () => string;
}

const PROJECT = { name: "mesh", runtime: "nodejs" } as const;

/** Opens a stack with the mesh's provider; its credentials are those of the configuration alone. `close` it in the end. */
export async function openMesh(options: MeshSessionOptions): Promise<MeshSession> {
  const provider = meshProvider({
    connect: (configuration: Values) => connectMesh(configuration, {}),
    ...(options.now === undefined ? {} : { now: options.now }),
    pause: (signal) => sleep(50, undefined, { signal }),
  });
  const session = await Session.open({
    cli: await cli,
    stack: "mesh",
    project: PROJECT,
    config: { plain: {}, secret: {} },
    standIns: [provider, machines(() => opened.boot)],
    program: options.program,
  });
  const opened: MeshSession = {
    session,
    boot: options.boot ?? (() => undefined),
    events: async (command, program) => {
      const events: EngineEvent[] = [];
      await session.stack[command]({ onEvent: (event) => events.push(event), color: "never", program });
      return events;
    },
    stateFiles: () => {
      const folder = fileURLToPath(session.stack.workspace.envVars["PULUMI_BACKEND_URL"] ?? "");
      return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
        .join("\n");
    },
  };
  return opened;
}
