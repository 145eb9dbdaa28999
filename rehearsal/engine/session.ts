import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  LocalWorkspace,
  PulumiCommand,
  type ConfigMap,
  type OutputMap,
  type ProjectSettings,
  type PulumiFn,
  type Stack,
} from "@pulumi/pulumi/automation/index.js";
import type { Plugin } from "../../tools/toolchain/plugins.ts";
import type { Cli } from "../../tools/toolchain/resolve.ts";
import type { ServedProvider } from "../../provider/protocol/serve.ts";
import { serveStandIn } from "../providers/server.ts";
import type { Disturb, StandIn } from "../providers/stand-in.ts";
import { placedSecrets, type StackConfig } from "./stack-config.ts";
import { StepRecorder, type RunRecord, type Step } from "./steps.ts";

/** What a session is opened with. */
export interface SessionOptions {
  readonly cli: Cli;
  readonly stack: string;
  readonly project: ProjectSettings;
  readonly config: StackConfig;
  /** What stands in for providers. */
  readonly standIns: readonly StandIn[];
  /** Official plugins that are used as they are. @default none */
  readonly plugins?: readonly Plugin[];
  readonly program: PulumiFn;
  /** Called before every step of a stand-in. @default nothing happens */
  readonly disturb?: Disturb;
  /** Whether the state is written after every step, as in real life. @default false: at the end, which is faster */
  readonly checkpoints?: boolean;
  /** Called as steps finish. @default nothing happens */
  readonly onFinished?: (step: Step) => void;
}

/** One run of the engine, as asked for. */
type Command = "preview" | "up" | "refresh" | "destroy";

/** The message of a failure without the command line and the copied output that the Automation API puts around it. */
function failureText(error: unknown, recorder: StepRecorder): string {
  const errors = recorder.messages
    .filter(({ severity, text }) => severity === "error" && !/^(?:update|preview|refresh|destroy) failed$/.test(text))
    .map(({ text, resource }) => (resource === "" ? text : `${resource}: ${text}`));
  // The engine repeats a program's own error for the stack.
  if (errors.length > 0) return [...new Set(errors)].join("\n");
  const text = error instanceof Error ? error.message : String(error);
  const said = text.split("\n").filter((line) => line.startsWith("error: "));
  return said.length > 0 ? said.map((line) => line.slice("error: ".length)).join("\n") : text;
}

/** A stack of its own in a temporary state, the real engine, and stand-ins that it attaches to. */
export class Session {
  readonly #options: SessionOptions;
  readonly #folder: string;
  readonly #standIns: readonly ServedProvider[];
  readonly #stack: Stack;
  #program: PulumiFn;
  #running = new AbortController();

  private constructor(options: SessionOptions, folder: string, standIns: readonly ServedProvider[], stack: Stack) {
    this.#options = options;
    this.#folder = folder;
    this.#standIns = standIns;
    this.#stack = stack;
    this.#program = options.program;
  }

  /** Makes the temporary folder, starts the stand-ins and creates the stack. Whatever happens, `close` ends it all. */
  static async open(options: SessionOptions): Promise<Session> {
    const folder = await mkdtemp(join(tmpdir(), "hybrid-k3s-rehearsal-"));
    const standIns: ServedProvider[] = [];
    try {
      for (const standIn of options.standIns) {
        standIns.push(await serveStandIn(standIn, options.disturb ?? (() => Promise.resolve())));
      }
      const stack = await makeStack(options, folder, standIns);
      const session = new Session(options, folder, standIns, stack);
      await session.configure(options.config);
      return session;
    } catch (error) {
      for (const standIn of standIns) standIn.stop();
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Replaces the stack's settings. */
  async configure(config: StackConfig): Promise<void> {
    const { workspace, name } = this.#stack;
    await workspace.saveStackSettings(name, {
      ...(await keptSettings(workspace, name)),
      config: { ...config.plain },
    });
    const values: ConfigMap = Object.fromEntries(
      Object.entries(placedSecrets(config)).map(([path, value]) => [path, { value, secret: true }]),
    );
    if (Object.keys(values).length > 0) await this.#stack.setAllConfig(values, true);
  }

  /** Runs another program from now on. */
  use(program: PulumiFn): void {
    this.#program = program;
  }

  /** What an update would do. */
  preview(): Promise<RunRecord> {
    return this.#run("preview");
  }

  /** Does it. */
  up(): Promise<RunRecord> {
    return this.#run("up");
  }

  /** A second update while one is under way, as from another terminal. */
  upBeside(): Promise<RunRecord> {
    return this.#execute("up", new AbortController());
  }

  /** Looks at everything that is there, and puts that into the state. */
  refresh(): Promise<RunRecord> {
    return this.#run("refresh");
  }

  /** Deletes everything. */
  destroy(): Promise<RunRecord> {
    return this.#run("destroy");
  }

  /** Interrupts the run that is under way, as Ctrl-C does: the engine ends its steps and saves the state. */
  interrupt(): void {
    this.#running.abort();
  }

  /** The stack's outputs. */
  outputs(): Promise<OutputMap> {
    return this.#stack.outputs();
  }

  /** The state, as `pulumi stack export` prints it. */
  async state(): Promise<StateResource[]> {
    const exported = await this.#stack.exportStack();
    return (exported.deployment as { resources?: StateResource[] } | null)?.resources ?? [];
  }

  /** The Automation API's own handle, for what this class does not offer. */
  get stack(): Stack {
    return this.#stack;
  }

  /** Ends the stand-ins and removes every file. */
  async close(): Promise<void> {
    for (const standIn of this.#standIns) standIn.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #run(command: Command): Promise<RunRecord> {
    for (const standIn of this.#standIns) standIn.renew();
    this.#running = new AbortController();
    return this.#execute(command, this.#running);
  }

  async #execute(command: Command, { signal }: AbortController): Promise<RunRecord> {
    const recorder = new StepRecorder(this.#options.onFinished);
    const options = { onEvent: recorder.onEvent, color: "never" as const, signal };
    const started = Date.now();
    let failure: string | undefined;
    try {
      if (command === "preview") await this.#stack.preview({ ...options, program: this.#program });
      else if (command === "up") await this.#stack.up({ ...options, program: this.#program });
      else if (command === "refresh") await this.#stack.refresh(options);
      else await this.#stack.destroy(options);
    } catch (error) {
      failure = failureText(error, recorder);
    }
    const { steps, finished, messages } = recorder;
    const seconds = (Date.now() - started) / 1000;
    return { steps, finished, messages, seconds, ...(failure === undefined ? {} : { failure }) };
  }
}

/** A resource of the state: what the critical path is found from. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
  readonly parent?: string;
  /** URN and id of the provider instance. */
  readonly provider?: string;
  readonly dependencies?: readonly string[];
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** What the engine keeps beside the settings: without it the secrets of the state could not be read. */
async function keptSettings(workspace: Stack["workspace"], name: string) {
  const { encryptionSalt, secretsProvider } = await workspace.stackSettings(name).catch(() => ({
    encryptionSalt: undefined,
    secretsProvider: undefined,
  }));
  return {
    ...(encryptionSalt === undefined ? {} : { encryptionSalt }),
    ...(secretsProvider === undefined ? {} : { secretsProvider }),
  };
}

/** The project without its paths: the program and the project's own provider run in this process. */
function withoutPaths(project: ProjectSettings): ProjectSettings {
  const settings: ProjectSettings & { plugins?: unknown } = { ...project };
  delete settings.main;
  delete settings.plugins;
  return settings;
}

async function makeStack(
  { cli, stack, project, program, plugins = [], checkpoints = false }: SessionOptions,
  folder: string,
  standIns: readonly ServedProvider[],
): Promise<Stack> {
  const [state, home] = [join(folder, "state"), join(folder, "home")];
  const [work, root] = [join(folder, "work"), join(folder, "cli")];
  await Promise.all([state, home, work, join(root, "bin")].map((path) => mkdir(path, { recursive: true })));
  // The Automation API looks for the CLI in a folder of this shape.
  await symlink(cli.path, join(root, "bin", "pulumi"));
  const search = [...plugins.map(({ path }) => dirname(path)), dirname(cli.path), process.env["PATH"] ?? ""].join(":");
  const envVars: Record<string, string> = {
    PATH: search,
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE: "rehearsal",
    PULUMI_CONFIG_PASSPHRASE_FILE: "",
    PULUMI_ACCESS_TOKEN: "",
    PULUMI_HOME: home,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_DEBUG_PROVIDERS: standIns.map(({ provider, port }) => `${provider.name}:${port}`).join(","),
    // The command plugin fails where this names a socket that is dead, even when it has a key.
    SSH_AUTH_SOCK: "",
    ...(checkpoints ? {} : { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" }),
  };
  return LocalWorkspace.createStack(
    { stackName: stack, projectName: project.name, program },
    {
      workDir: work,
      pulumiHome: home,
      // The program is in this process; the CLI must not look for its file.
      projectSettings: withoutPaths(project),
      envVars,
      pulumiCommand: await PulumiCommand.get({ root }),
    },
  );
}
