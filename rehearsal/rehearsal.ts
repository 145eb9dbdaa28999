import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProjectSettings, PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { parse } from "yaml";
import { parseDeployed, type Deployed } from "../stacks/deployed.ts";
import { evaluateGuardrails, type Verdict } from "../stacks/guardrails.ts";
import { keepingWhatRuns } from "../stacks/lasting.ts";
import { program as regionProgram } from "../stacks/program.ts";
import type { RegionSettings } from "../stacks/region-settings.ts";
import { parseSettings } from "../stacks/settings.ts";
import { realEffects } from "../tools/toolchain/effects.ts";
import { findPlugins, type Plugin } from "../tools/toolchain/plugins.ts";
import { resolveCli, type Cli } from "../tools/toolchain/resolve.ts";
import type { CommandBackend } from "./commands/backend.ts";
import { realCommands } from "./commands/real.ts";
import { simulatedCommands } from "./commands/simulated.ts";
import { simulatedAid } from "./world/simulated-aid.ts";
import { Session } from "./engine/session.ts";
import {
  mergeConfig,
  readStackConfig,
  secretsBeside,
  StackFileError,
  takeEncrypted,
  wholeConfig,
  type StackConfig,
} from "./engine/stack-config.ts";
import type { RunRecord, Step } from "./engine/steps.ts";
import { choosePlugins, pluginsAtHome, type PluginChoice } from "./plugin-choice.ts";
import { populate } from "./population.ts";
import { meshProvider } from "../provider/mesh-provider.ts";
import { meshOf } from "./providers/mesh.ts";
import { commandStandIn } from "./providers/command.ts";
import { hcloudStandIn } from "./providers/hcloud.ts";
import { kubernetesStandIn } from "./providers/kubernetes.ts";
import { lightsailStandIn } from "./providers/lightsail.ts";
import { randomStandIn } from "./providers/random.ts";
import { tlsStandIn } from "./providers/tls.ts";
import { World } from "./world/world.ts";

/** The folder that holds Pulumi.yaml. */
export const PROJECT_FOLDER = join(import.meta.dirname, "..");

/** What a rehearsal is opened with. Everything but the stack has a default. */
export interface RehearsalOptions {
  /** Name of the stack: its settings are read from `Pulumi.<stack>.yaml`. */
  readonly stack: string;
  /** @default the project that this file belongs to */
  readonly folder?: string;
  /** Settings in place of the stack's file: its text. */
  readonly settingsText?: string;
  /** Merged into the settings before the first run; null deletes a key. By full name, such as `hybrid-k3s:kubernetes`. */
  readonly overrides?: Readonly<Record<string, unknown>>;
  /** Values of secret settings in place of placeholders, by full name: what `backend: "ssh"` needs. @default placeholders */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Several stacks may share one world. @default an empty one, filled with the hosts that the settings name */
  readonly world?: World;
  /** Where commands run: in the simulated world, or for real, on real hosts. @default "simulated" */
  readonly backend?: "simulated" | "ssh";
  /** In place of the backend's own: what a proof plays and what it does for real. @default the backend's */
  readonly commands?: CommandBackend;
  /**
   * Whether official plugins take the place of stand-ins where they are on this computer. One that would reach out to real
   * clouds does not, unless the settings point it at this computer. @default "stand-in"
   */
  readonly plugins?: "stand-in" | "official";
  /** @default the region's program, with the world's Helm locks in place of the API's */
  readonly program?: PulumiFn;
  /** Whether the state is written after every step. @default false: at the end, which is faster */
  readonly checkpoints?: boolean;
  /** @default the one that the toolchain finds or makes */
  readonly cli?: Cli;
  /** Called as steps finish. */
  readonly onFinished?: (step: Step) => void;
  /** Told what takes long. @default nothing */
  readonly say?: (line: string) => void;
}

/** A stack, the real engine and a world, ready to be worked on step by step. */
export class Rehearsal {
  readonly stack: string;
  readonly world: World;
  readonly session: Session;
  readonly cli: Cli;
  /** Which providers are played, and which are real. */
  readonly providers: readonly PluginChoice[];
  readonly #project: string;
  readonly #folder: string;
  #config: StackConfig;

  private constructor(
    parts: Pick<Rehearsal, "stack" | "world" | "session" | "cli" | "providers"> & {
      readonly project: string;
      readonly folder: string;
      readonly config: StackConfig;
    },
  ) {
    this.stack = parts.stack;
    this.world = parts.world;
    this.session = parts.session;
    this.cli = parts.cli;
    this.providers = parts.providers;
    this.#project = parts.project;
    this.#folder = parts.folder;
    this.#config = parts.config;
  }

  /**
   * Opens a rehearsal. `close` must be called, whatever happens: it removes the temporary state.
   * @throws Error if the stack has no file, or there is no Pulumi CLI
   */
  static async open(options: RehearsalOptions): Promise<Rehearsal> {
    const folder = options.folder ?? PROJECT_FOLDER;
    const project = parse(await readFile(join(folder, "Pulumi.yaml"), "utf8")) as ProjectSettings;
    const text = options.settingsText ?? (await readStackFile(folder, options.stack));
    const config = withOverrides(readStackConfig(text, project.name), options);
    const say = options.say ?? (() => undefined);
    const cli = options.cli ?? (await resolveCli(realEffects(say)));
    const backend = options.backend ?? "simulated";
    const found: readonly Plugin[] = options.plugins === "official" ? await findPlugins() : [];
    const providers = choosePlugins(found, backend, pluginsAtHome(await settingsIn(config, project.name, folder)));
    const world = options.world ?? new World();
    const commands = options.commands ?? (backend === "ssh" ? realCommands() : simulatedCommands(world));
    await world.mesh.open();
    const opening = Session.open({
      cli,
      stack: options.stack,
      project,
      config,
      standIns: standIns(world, backend, commands, providers),
      plugins: providers.map(({ plugin }) => plugin).filter((plugin) => plugin !== undefined),
      program: options.program ?? regionOf(world, backend),
      disturb: world.faults.disturb,
      checkpoints: options.checkpoints ?? false,
      ...(options.onFinished === undefined ? {} : { onFinished: options.onFinished }),
    });
    const session = await opening.catch(async (error: unknown) => {
      await world.mesh.close();
      throw error;
    });
    const { stack } = options;
    const rehearsal = new Rehearsal({ stack, world, session, cli, providers, project: project.name, folder, config });
    await rehearsal.#populate();
    return rehearsal;
  }

  /** The stack's settings as they are now; undefined where they do not hold together (the program says why). */
  settings(): Promise<RegionSettings | undefined> {
    return settingsIn(this.#config, this.#project, this.#folder);
  }

  /** What the last successful run left. */
  async deployed(): Promise<Deployed | undefined> {
    const outputs = await this.session.outputs();
    return parseDeployed(outputs["deployed"]?.value);
  }

  /** What the guardrails say to the settings as they are now, against what runs. */
  async guardrails(): Promise<Verdict | undefined> {
    const [settings, deployed] = [await this.settings(), await this.deployed()];
    return settings === undefined ? undefined : evaluateGuardrails(keepingWhatRuns(settings, deployed), deployed);
  }

  /**
   * Changes settings: objects are merged, null deletes a key, encrypted values become placeholders. New hosts that they name
   * come into the world.
   */
  async edit(change: Readonly<Record<string, unknown>>): Promise<void> {
    const { plain, secret } = takeEncrypted(change);
    this.#config = { ...this.#config, secret: { ...secretsBeside(this.#config, change), ...secret } };
    await this.configure(mergeConfig(this.#config.plain, plain) as Readonly<Record<string, unknown>>);
  }

  /** Replaces all settings but the secret ones. By full name, such as `hybrid-k3s:region`. */
  async configure(plain: Readonly<Record<string, unknown>>): Promise<void> {
    this.#config = { ...this.#config, plain };
    await this.session.configure(this.#config);
    await this.#populate();
  }

  /** Changes secret settings, by full name such as `hybrid-k3s:sshPrivateKey`; null takes one out. */
  async configureSecrets(changes: Readonly<Record<string, string | null>>): Promise<void> {
    const secret = mergeConfig(this.#config.secret, changes) as Readonly<Record<string, string>>;
    this.#config = { ...this.#config, secret };
    await this.session.configure(this.#config);
  }

  /** The settings as they are now, by full name; the secret ones left out. */
  get config(): Readonly<Record<string, unknown>> {
    return this.#config.plain;
  }

  /** What an update would do. */
  preview(): Promise<RunRecord> {
    return this.session.preview();
  }

  /** Does it, in the world. */
  up(): Promise<RunRecord> {
    this.world.durations.clear();
    return this.session.up();
  }

  /** Deletes everything. */
  destroy(): Promise<RunRecord> {
    this.world.durations.clear();
    return this.session.destroy();
  }

  /** Ends it and removes its files. */
  async close(): Promise<void> {
    await this.session.close();
    await this.world.mesh.close();
  }

  async #populate(): Promise<void> {
    const settings = await this.settings();
    if (settings !== undefined) populate(this.world, settings);
  }
}

/** The settings that a configuration holds; undefined where they do not hold together. */
async function settingsIn(config: StackConfig, project: string, folder: string): Promise<RegionSettings | undefined> {
  const prefix = `${project}:`;
  const values = Object.entries(wholeConfig(config))
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]): [string, unknown] => [name.slice(prefix.length), value]);
  try {
    return parseSettings(Object.fromEntries(values), await readFile(join(folder, "regions.yaml"), "utf8"));
  } catch {
    return undefined;
  }
}

async function readStackFile(folder: string, stack: string): Promise<string> {
  try {
    return await readFile(join(folder, `Pulumi.${stack}.yaml`), "utf8");
  } catch (error) {
    throw new StackFileError(`there is no Pulumi.${stack}.yaml in ${folder}`, { cause: error });
  }
}

function withOverrides(config: StackConfig, { overrides = {}, secrets = {} }: RehearsalOptions): StackConfig {
  return {
    plain: mergeConfig(config.plain, overrides) as Readonly<Record<string, unknown>>,
    secret: { ...config.secret, ...secrets },
  };
}

function standIns(
  world: World,
  backend: "simulated" | "ssh",
  commands: CommandBackend,
  providers: readonly PluginChoice[],
) {
  const all = [
    commandStandIn(commands),
    randomStandIn,
    tlsStandIn,
    kubernetesStandIn(world),
    lightsailStandIn(world),
    hcloudStandIn(world),
  ];
  const played = all.filter(({ name }) => providers.find((choice) => choice.name === name)?.plugin === undefined);
  // Real hosts can only join a real mesh.
  return [...played, backend === "simulated" ? meshOf(world) : meshProvider()];
}

/** The region's program. In a simulated world Helm's locks are the world's, else the real API's. */
function regionOf(world: World, backend: "simulated" | "ssh"): PulumiFn {
  const effects = backend === "simulated" ? { releaseAid: simulatedAid(world) } : undefined;
  return async () => ({ ...(await regionProgram(effects)) });
}
