import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { awaitSsh, powerOn } from "./boot.ts";
import type { Bind } from "./boot.ts";
import { hostFolders, makeDisk, makeKeyPair, removeDisk } from "./host-files.ts";
import type { KeyPair } from "./host-files.ts";
import { MIRROR_PATH, publish } from "./mirror.ts";
import type { Release, ReleaseDigests } from "./mirror.ts";
import { checkNetwork, internetProgram, networkProgram } from "./network.ts";
import type { Internet, LabHostPlan, LabSite } from "./network.ts";
import { rootFileSystem } from "./root-file-system.ts";
import { runShell } from "./run.ts";
import type { Finished } from "./run.ts";
import { execute, openSession } from "./ssh.ts";
import type { Login, Session } from "./ssh.ts";
import { cgroupName, openFolder, powerOff, sweep, tearDown } from "./teardown.ts";

/** What a test asks for. */
export interface LabPlan {
  readonly sites: Readonly<Record<string, LabSite>>;
  readonly hosts: readonly LabHostPlan[];
}

/** A host that runs, or ran. */
export interface LabHost extends LabHostPlan {
  /** Public host key to pin, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

/** How a command is run on a host. */
export interface ExecuteOptions {
  /** Text for its standard input. @default none */
  readonly input?: string;
  /** @default 60 */
  readonly seconds?: number;
  /** Login user: `root`, or `ops`, who becomes root by sudo. @default "root" */
  readonly user?: string;
  /** Return a failure instead of throwing it. @default false */
  readonly mayFail?: boolean;
}

/** How a host is switched on. */
export interface StartOptions {
  /** Start from a new disk, with the same address and host key. @default false */
  readonly wipe?: boolean;
  /** With `wipe`: a new host key too, so that the pinned one is wrong. @default false */
  readonly newHostKey?: boolean;
}

const BOOT_SECONDS = 60;
const SETUP_SECONDS = 60;

/** Starts the process that outlives this one. Returns what tells it that it is not needed any more. */
function startGuard(prefix: string): () => void {
  const program = fileURLToPath(new URL("./guard.ts", import.meta.url));
  const guard = spawn(process.execPath, [program], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  // It may have gone when the lab closes; that is what it is for.
  guard.stdin.on("error", () => undefined);
  guard.stdin.write(`${prefix}\n`);
  // Neither the guard nor the pipe to it keeps a test process alive.
  guard.unref();
  if (guard.stdin instanceof Socket) guard.stdin.unref();
  return () => {
    guard.stdin.end();
  };
}

const newPrefix = (): string =>
  `hk${randomInt(36 ** 4)
    .toString(36)
    .padStart(4, "0")}`;

/** Debian hosts on networks of their own, booted for a test. Make one with {@link createLab}; close it in `finally`. */
export class Lab {
  /** Start of the names of all that this lab puts on the machine. */
  readonly prefix = newPrefix();
  /** Folder of the lab: keys, mirror, and a folder per host with its `console.log`. */
  readonly folder: string;
  /** Private key that opens every host, OpenSSH text. */
  readonly privateKey: string;
  /** The same in a file. */
  readonly identity: string;
  /** Folder that every host sees at `/opt/mirror`, read-only. */
  readonly mirror: string;
  /** Folder that every host sees at `/var/lib/hybrid-k3s-stand-in` and may write to. */
  readonly shared: string;
  readonly #plan: LabPlan;
  readonly #base: string;
  readonly #keys = new Map<string, KeyPair>();
  readonly #login: KeyPair;
  readonly #letGuardGo: () => void;
  #open = true;

  constructor(plan: LabPlan, base: string) {
    checkNetwork({ ...plan, prefix: this.prefix });
    this.#plan = plan;
    this.#base = base;
    this.folder = openFolder(this.prefix);
    this.#letGuardGo = startGuard(this.prefix);
    this.#login = makeKeyPair(this.folder, "lab");
    this.privateKey = this.#login.privateKey;
    this.identity = join(this.folder, "identity");
    writeFileSync(this.identity, this.privateKey, { mode: 0o600 });
    this.mirror = join(this.folder, "mirror");
    this.shared = join(this.folder, "shared");
    for (const folder of [this.mirror, this.shared]) mkdirSync(folder);
  }

  /** Every host, in the order of the plan. */
  get hosts(): LabHost[] {
    return this.#plan.hosts.map(({ name }) => this.host(name));
  }

  /** One host. @throws Error if the plan has none of that name */
  host(name: string): LabHost {
    const planned = this.#plan.hosts.find((host) => host.name === name);
    if (!planned) throw new Error(`lab ${this.prefix} has no host ${name}`);
    const key = this.#keys.get(name) ?? makeKeyPair(this.folder, name);
    this.#keys.set(name, key);
    return { ...planned, hostKey: key.publicKey };
  }

  /** What it takes to log in to a host. */
  login(name: string, user = "root"): Login {
    const { address, hostKey } = this.host(name);
    return { address, user, identity: this.identity, hostKey };
  }

  /**
   * Runs a command on a host over SSH.
   * @throws Error with the command and both outputs, if it fails and may not
   */
  async exec(name: string, command: string, options: ExecuteOptions = {}): Promise<Finished> {
    const login = this.login(name, options.user);
    const done = await execute(login, command, options.seconds ?? 60, options.input);
    if (done.code === 0 || options.mayFail === true) return done;
    throw new Error(`${name}: ${command.slice(0, 300)}\nexit code ${done.code}\n${done.stdout}\n${done.stderr}`);
  }

  /** Starts a command on a host without waiting for it. */
  session(name: string, command: string, input = ""): Session {
    return openSession(this.login(name), command, input);
  }

  /** Lets everything, only UDP and ping, or nothing pass between the sites from now on; see {@link Internet}. */
  internet(allowed: Internet): void {
    runShell(internetProgram({ ...this.#plan, prefix: this.prefix }, allowed), SETUP_SECONDS);
  }

  /** Puts a k3s release on the mirror. */
  publish(release: Release): ReleaseDigests {
    return publish(this.mirror, release);
  }

  /** Cuts a host's power, as a pulled plug does. Its disk stays. */
  kill(name: string): void {
    powerOff(this.prefix, this.host(name).name);
  }

  /** Switches a host on and waits until its sshd greets, 60 s at most. */
  async start(name: string, options: StartOptions = {}): Promise<void> {
    if (options.wipe === true) {
      this.kill(name);
      if (options.newHostKey === true) this.#keys.delete(name);
      this.#makeDisk(name);
    }
    this.#powerOn(name);
    await this.#ready(name);
  }

  /** Removes everything that the lab put on this machine. It may be called again. */
  close(): void {
    if (!this.#open) return;
    tearDown(this.prefix);
    this.#open = false;
    this.#letGuardGo();
    openLabs.delete(this);
  }

  /** Networks, disks, power: called once by createLab. */
  async setUp(): Promise<void> {
    runShell(networkProgram({ ...this.#plan, prefix: this.prefix }), SETUP_SECONDS);
    for (const { name } of this.#plan.hosts) {
      this.#makeDisk(name);
      this.#powerOn(name);
    }
    await Promise.all(this.#plan.hosts.map(({ name }) => this.#ready(name)));
  }

  #makeDisk(name: string): void {
    const folders = hostFolders(this.folder, name);
    removeDisk(folders);
    this.host(name);
    makeDisk(this.#base, folders, {
      name,
      hostKey: this.#keys.get(name)!,
      authorizedKey: this.#login.publicKey,
      neighbours: this.#plan.hosts,
    });
  }

  #powerOn(name: string): void {
    const binds: Bind[] = [
      { from: this.mirror, to: MIRROR_PATH },
      { from: this.shared, to: "/var/lib/hybrid-k3s-stand-in", writable: true },
    ];
    powerOn(this.prefix, name, binds);
  }

  async #ready(name: string): Promise<void> {
    await awaitSsh(this.prefix, name, this.host(name).address, BOOT_SECONDS);
    // sshd greets before systemd lets users in. Not all units need to be up: one that is enabled may take its time.
    await this.exec(name, "until [ ! -e /run/nologin ]; do sleep 0.1; done", { seconds: 30 });
  }
}

const openLabs = new Set<Lab>();

/** Closes the labs that this process still has, when it ends for whatever reason it can notice. */
function closeAll(): void {
  for (const lab of openLabs) {
    try {
      lab.close();
    } catch (error) {
      console.error(String(error));
    }
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
let watching = false;

function watchForTheEnd(): void {
  if (watching) return;
  watching = true;
  process.on("exit", closeAll);
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      closeAll();
      process.kill(process.pid, signal);
    });
  }
}

/**
 * Boots Debian hosts on sites of their own and waits until each can be logged in to.
 *
 * Five hosts take about ten seconds on two cores. This machine reaches every host through one leg (`.254`) into each
 * site's bridge; hosts reach each other, and nothing else. Labs of processes that have died are removed first.
 * @throws Error when a host does not come up; whatever was made is removed before
 */
export async function createLab(plan: LabPlan): Promise<Lab> {
  sweep();
  const lab = new Lab(plan, rootFileSystem());
  openLabs.add(lab);
  watchForTheEnd();
  try {
    await lab.setUp();
  } catch (error) {
    lab.close();
    throw error;
  }
  return lab;
}

/** The cgroup name of a host, for what a test wants to measure. */
export const cgroupOf = (lab: Lab, host: string): string => cgroupName(lab.prefix, host);
