import { createHash } from "node:crypto";
import { DURATIONS } from "./durations.ts";
import type { LimaHost, LimaVm } from "./lima-hosts.ts";
import { ScriptFailure } from "./script-run.ts";
import { endpointOf, type World } from "./world.ts";

/** What a run of a script offers, wherever it runs. */
interface Run {
  readonly world: World;
  readonly action: string;
  readonly output: string[];
  need(name: string): string;
  get(name: string): string;
  step(seconds: number, change?: { readonly text: string; readonly apply: () => void }): Promise<void>;
}

/** The Lima host that a script runs on: its name, `here` for this computer. */
export type At = string;

const mark = (run: Run): string => run.need("OWNER");

function checkHost(run: Run, lima: LimaHost): void {
  const least = run.need("LEAST_LIMA");
  if (lima.version === undefined) {
    throw new ScriptFailure([
      `this host has no limactl · fix: install Lima ${least} or newer: brew install lima (macOS), https://lima-vm.io/docs/installation/ (Linux)`,
    ]);
  }
  if (Number(lima.version.split(".")[0]) < Number(least.split(".")[0])) {
    throw new ScriptFailure([
      `limactl: found ${lima.version} · allowed ${least} or newer · fix: brew upgrade lima (macOS), https://lima-vm.io/docs/installation/ (Linux)`,
    ]);
  }
  if (run.get("NETWORK") === "shared" && !lima.socketVmnet) {
    throw new ScriptFailure([
      "this host has no /opt/socket_vmnet/bin/socket_vmnet, which joins the VMs into one LAN",
      "fix: install it as root, not by Homebrew: https://lima-vm.io/docs/config/network/vmnet/ · or, without root: network: user-v2",
    ]);
  }
}

function refuseForeign(name: string): never {
  throw new ScriptFailure([
    `a VM named ${name} is on this host already, and hybrid-k3s did not make it for this stack: it is never adopted and never deleted`,
    `fix: rename it (limactl rename ${name} <other>), or name the machine in the settings otherwise`,
  ]);
}

/** An ed25519 public key that only depends on a name; nobody holds its private half. */
function keyOf(name: string): string {
  const key = createHash("sha256").update(name).digest();
  const field = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return `ssh-ed25519 ${Buffer.concat([field(Buffer.from("ssh-ed25519")), field(key)]).toString("base64")}`;
}

const yamlNumber = (yaml: string, key: string): number =>
  Number(new RegExp(`^\\s*${key}: (\\d+)`, "m").exec(yaml)?.[1]);

function makeVm(run: Run, at: At, lima: LimaHost, name: string): void {
  const yaml = run.need("VM_YAML");
  const shared = run.get("NETWORK") === "shared";
  const address = run.world.lima.address(shared ? 105 : 104);
  const through = at === "here" ? undefined : { host: at, port: 0 };
  const host = run.world.addHost({
    name: run.need("NODE_NAME"),
    endpoint: shared
      ? endpointOf(address, 22, through)
      : endpointOf("127.0.0.1", yamlNumber(yaml, "localPort"), through),
    address,
    network: /region=(\S+)/.exec(mark(run))?.[1] ?? "",
    hostKey: keyOf(`${name} ${address}`),
  });
  host.authorizedKeys = new Set([run.need("AUTHORIZED_KEY")]);
  const size = [yamlNumber(yaml, "cpus"), yamlNumber(yaml, "memory"), yamlNumber(yaml, "disk")] as const;
  lima.vms.set(name, { owner: mark(run), host, size });
  if (run.get("DATA_DISK") !== "") lima.disks.add(run.get("DATA_DISK"));
}

async function create(run: Run, at: At, lima: LimaHost, name: string): Promise<void> {
  checkHost(run, lima);
  const found = lima.vms.get(name);
  if (found !== undefined && found.owner !== mark(run)) refuseForeign(name);
  if (found === undefined) {
    await run.step(DURATIONS.vm, {
      text: `${name} made`,
      apply: () => {
        makeVm(run, at, lima, name);
      },
    });
  }
  run.output.push(`${name} runs`);
}

async function stopAndEdit(run: Run, name: string, vm: LimaVm, size: LimaVm["size"]): Promise<void> {
  const { host } = vm;
  await run.step(DURATIONS.vmStop, {
    text: `${name} stopped`,
    apply: () => {
      host.alive = false;
      host.k3s.running = false;
    },
  });
  await run.step(0, {
    text: `${name} edited: ${size.join(" ")}`,
    apply: () => {
      vm.size = size;
    },
  });
}

async function start(run: Run, name: string, { host }: LimaVm): Promise<void> {
  if (host.alive) return;
  await run.step(DURATIONS.vm, {
    text: `${name} started`,
    apply: () => {
      host.alive = true;
      // systemd starts what is installed.
      host.k3s.running = host.k3s.role !== undefined;
    },
  });
}

async function converge(run: Run, lima: LimaHost, name: string): Promise<void> {
  checkHost(run, lima);
  const vm = lima.vms.get(name);
  if (vm === undefined) {
    throw new ScriptFailure([
      `the VM ${name} is gone from this host · fix: raise the generation of the machine: it is made anew, and joins as a new node`,
    ]);
  }
  if (vm.owner !== mark(run)) refuseForeign(name);
  const size = [run.need("CPUS"), run.need("MEMORY_GIB"), run.need("DISK_GIB")].map(Number) as [number, number, number];
  if (size[2] < vm.size[2]) {
    throw new ScriptFailure([
      `the disk of ${name}: found ${size[2]}GiB in the settings · allowed ${vm.size[2]}GiB, its size now, or more: a disk grows and never shrinks`,
      `fix: write disk: ${vm.size[2]}GiB, or raise the generation of the machine to make it anew`,
    ]);
  }
  if (size.join() !== vm.size.join()) await stopAndEdit(run, name, vm, size);
  await start(run, name, vm);
  vm.host.authorizedKeys = new Set([run.need("AUTHORIZED_KEY")]);
  run.output.push(`${name} runs`);
}

async function remove(run: Run, lima: LimaHost, name: string): Promise<void> {
  const vm = lima.vms.get(name);
  if (vm !== undefined && vm.owner !== mark(run)) {
    run.output.push(`${name} is left as it is: hybrid-k3s did not make it for this stack`);
    return;
  }
  if (vm !== undefined) {
    await run.step(DURATIONS.vmStop, {
      text: `${name} deleted`,
      apply: () => {
        run.world.removeHost(vm.host);
        lima.vms.delete(name);
      },
    });
  }
  if (run.get("DELETE_DATA") === "yes") lima.disks.delete(run.get("DATA_DISK"));
  run.output.push(`${name} is gone`);
}

/** What components/lima/scripts/lima-vm.sh does. */
export async function limaVm(run: Run, at: At): Promise<void> {
  const lima = run.world.lima.get(at);
  const name = run.need("VM");
  if (run.action === "create") await create(run, at, lima, name);
  else if (run.action === "converge") await converge(run, lima, name);
  else if (run.action === "delete") await remove(run, lima, name);
  else throw new ScriptFailure([`unknown action ${run.action}`]);
}

/** What components/lima/scripts/lima-address.sh does. */
export async function limaAddress(run: Run, at: At): Promise<void> {
  await run.step(0);
  const vm = run.world.lima.get(at).vms.get(run.need("VM"));
  if (vm === undefined) {
    throw new ScriptFailure([
      `${run.need("VM")} has no address on ${run.need("INTERFACE")} after ${run.need("WAIT_SECONDS")} s`,
    ]);
  }
  run.output.push(vm.host.address, vm.host.hostKey);
}
