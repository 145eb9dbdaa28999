import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { hostBaseline } from "../bootstrap/baseline.ts";
import type { LoginKey } from "../bootstrap/login-key.ts";
import { parseCommandText } from "../host/command-text.ts";
import type { Contact } from "../host/station-script.ts";
import { pauseNode } from "../k3s/pause.ts";
import { boundTo, lifeOf } from "../machine-life.ts";
import type { Machine, MachineSpec, SshHop, SshTarget } from "../machine.ts";
import type { Member, Mesh } from "../mesh/mesh.ts";
import { addressesOf } from "../mesh/way-in.ts";
import { noteWaiting } from "../waiting.ts";
import { limaScript, type LimaAction } from "./lima-script.ts";
import { GUEST_INTERFACE, LEAST_LIMA, shapeOf, vmYaml, type HostSystem, type LimaNetwork } from "./vm-yaml.ts";

const TYPE = "hybrid-k3s:lima:Site";

/** How long a VM may take: an image that is downloaded on a slow line, the first boot. Seconds. */
const VM_SECONDS = 2400;
const LOOPBACK = "127.0.0.1";

/** How long a VM may take to get an address. Seconds. */
const ADDRESS_SECONDS = 180;

/** One VM of a site. */
export interface LimaMachine {
  readonly spec: MachineSpec;
  readonly image: string;
  readonly cpus: number;
  readonly memoryGiB: number;
  /** Size of the system disk. It grows, and never shrinks. GiB. */
  readonly diskGiB: number;
  /** Size of a disk for the volumes of k3s's local storage, which outlives the VM. GiB. @default none */
  readonly dataGiB?: number;
  /** Whether that disk goes with the machine. */
  readonly deleteData: boolean;
  /** Port of the VM's sshd on the host's loopback address, where the network is `user-v2`. */
  readonly sshPort: number;
}

/** Arguments of {@link LimaSite}. */
export interface LimaSiteArgs {
  readonly region: string;
  /** The computer that runs the VMs. @default this one */
  readonly host?: SshTarget;
  readonly hostSystem: HostSystem;
  readonly network: LimaNetwork;
  /** Whether the VMs start with their host. */
  readonly autostart: boolean;
  readonly machines: readonly LimaMachine[];
  readonly login: LoginKey;
  readonly connectSeconds: number;
  readonly drainSeconds: number;
  /** Servers of the last successful run. */
  readonly contacts: readonly Contact[];
  /** What the last successful run left each machine as, by name. */
  readonly shapes: Readonly<Record<string, string>>;
  /** The mesh that VMs join. @default none */
  readonly mesh?: Mesh;
  /** Whether the address in the mesh is the node's, for a LAN whose range another site has too. @default false */
  readonly meshAddresses?: boolean;
}

/** Lima VMs on one computer. */
export class LimaSite extends pulumi.ComponentResource {
  /** One machine a VM. */
  readonly machines: readonly Machine[];
  readonly #args: LimaSiteArgs;

  constructor(name: string, args: LimaSiteArgs, options?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, options);
    this.#args = args;
    // What only this stack's state knows: tells its VMs from those of another stack with the same settings.
    const owner = new random.RandomId(`${name}-owner`, { byteLength: 8 }, { parent: this });
    this.machines = args.machines.map((machine) => this.machine(machine, owner.hex));
    this.registerOutputs({});
  }

  private machine(machine: LimaMachine, owner: pulumi.Output<string>): Machine {
    const { spec } = machine;
    const shape = shapeOf(machine);
    const earlierShape = this.#args.shapes[spec.name];
    const pause = pauseNode(
      {
        spec,
        region: this.#args.region,
        shape,
        ...(earlierShape === undefined ? {} : { earlierShape }),
        contacts: this.#args.contacts,
        login: this.#args.login,
        connectSeconds: this.#args.connectSeconds,
        drainSeconds: this.#args.drainSeconds,
      },
      { parent: this },
    );
    const vm = this.vm(machine, owner, pause);
    this.note(machine, vm);
    const { address, hostKey } = this.guest(machine, vm);
    const network = made(vm, "NETWORK", this.#args.network);
    const ssh = this.wayIn(machine, { address, hostKey, network });
    const baseline = hostBaseline(
      `${spec.name}-host`,
      {
        spec,
        region: this.#args.region,
        ssh,
        login: this.#args.login,
        connectSeconds: this.#args.connectSeconds,
        bootstrapped: false,
        // A disk that waits for the next generation is not looked for.
        ...(machine.dataGiB === undefined
          ? {}
          : { dataDisk: [made(vm, "DATA_GIB", "").apply((size) => (size === "" ? "" : "spare"))] }),
      },
      { parent: this, dependsOn: [vm], ...boundTo(spec, vm) },
    );
    const member: Member | undefined = this.#args.mesh?.join(
      { spec, ssh, id: vm.id, resource: vm, after: [baseline], givenBack: false },
      { parent: this },
    );
    return {
      spec,
      ...addressesOf(address, member, this.#args.meshAddresses),
      apiAddress: pulumi.all([network, address]).apply(([kind, own]) => (kind === "shared" ? own : LOOPBACK)),
      ssh,
      reach: `generation ${spec.generation}`,
      shape,
      id: vm.id,
      resource: vm,
      ready: [baseline, ...(member === undefined ? [] : [member.resource])],
    };
  }

  private vm(
    machine: LimaMachine,
    owner: pulumi.Output<string>,
    pause: pulumi.Resource,
  ): ReturnType<typeof limaScript> {
    const { spec, cpus, memoryGiB, diskGiB, dataGiB } = machine;
    const { hostSystem, network, autostart, login } = this.#args;
    const dataDisk = dataGiB === undefined ? undefined : this.vmName(spec);
    const always = {
      ...this.identity(spec, owner),
      AUTOSTART: autostart ? "yes" : "no",
      AUTHORIZED_KEY: login.publicKey,
    };
    const { sshPort, ...rest } = machine;
    const yaml = vmYaml({
      ...rest,
      ...(network === "user-v2" ? { sshPort } : {}),
      hostSystem,
      network,
      ...(dataDisk === undefined ? {} : { dataDisk }),
      forwardApi: network === "user-v2" && spec.role === "server",
    });
    const data = {
      DATA_DISK: dataDisk ?? "",
      DATA_GIB: String(dataGiB ?? ""),
      DELETE_DATA: machine.deleteData ? "yes" : "no",
    };
    const size = { CPUS: String(cpus), MEMORY_GIB: String(memoryGiB), DISK_GIB: String(diskGiB) };
    return limaScript(
      `${spec.name}-vm`,
      {
        script: "lima-vm",
        host: this.#args.host,
        login,
        create: {
          action: "create",
          parameters: { ...always, ...data, NETWORK: network, IMAGE: machine.image, VM_YAML: yaml },
        },
        update: { action: "converge", parameters: { ...always, ...size, NETWORK: network } },
        delete: { action: "delete", parameters: { ...this.identity(spec, owner), ...data } },
        connectSeconds: this.#args.connectSeconds,
        limitSeconds: VM_SECONDS,
      },
      {
        parent: this,
        dependsOn: [pause],
        replacementTrigger: lifeOf(spec),
        // The YAML counts when a VM is made; what may change in place, `update` has.
        ignoreChanges: ["create"],
      },
    );
  }

  /** What the VM was made with stands in the state; Lima itself does not tell the image's name. */
  private note({ spec, image, dataGiB }: LimaMachine, vm: ReturnType<typeof limaScript>): void {
    const waiting = (name: string, wanted: string, unit = "") => {
      const written = (value: string): string => (value === "" ? "" : `${value}${unit}`);
      return { wanted: written(wanted), actual: made(vm, name, wanted).apply(written) };
    };
    noteWaiting(
      spec,
      {
        image: waiting("IMAGE", image),
        network: waiting("NETWORK", this.#args.network),
        data: waiting("DATA_GIB", String(dataGiB ?? ""), "GiB"),
      },
      vm,
    );
  }

  /** The address and the host key that the VM has: read in the guest, once in its life. Neither is a secret. */
  private guest({ spec }: LimaMachine, vm: pulumi.CustomResource) {
    const read: LimaAction = {
      action: "read",
      parameters: {
        VM: this.vmName(spec),
        NODE_NAME: spec.name,
        INTERFACE: GUEST_INTERFACE[this.#args.network],
        WAIT_SECONDS: String(ADDRESS_SECONDS),
      },
    };
    const script = limaScript(
      `${spec.name}-address`,
      {
        script: "lima-address",
        host: this.#args.host,
        login: this.#args.login,
        create: read,
        update: read,
        connectSeconds: this.#args.connectSeconds,
        limitSeconds: ADDRESS_SECONDS + 60,
      },
      {
        parent: this,
        dependsOn: [vm],
        ...boundTo(spec, vm),
        // Another key, or another program, changes nothing about where the VM is: what was read stays known.
        ignoreChanges: ["create", "update", "stdin"],
      },
    );
    const lines = pulumi.unsecret(script.stdout).apply((text) => text.trim().split("\n"));
    return {
      address: lines.apply(([address]) => address ?? ""),
      hostKey: lines.apply(([, key]) => key ?? ""),
    };
  }

  /** By the network that the VM was made with: another one waits for its next generation. */
  private wayIn(
    { sshPort }: LimaMachine,
    { address, hostKey, network }: Readonly<Record<"address" | "hostKey" | "network", pulumi.Output<string>>>,
  ): SshTarget {
    const { host } = this.#args;
    const jump: SshHop | undefined =
      host === undefined ? undefined : { host: host.host, port: host.port, user: host.user, hostKey: host.hostKey };
    return {
      host: pulumi.all([network, address]).apply(([kind, own]) => (kind === "shared" ? own : LOOPBACK)),
      port: network.apply((kind) => (kind === "shared" ? 22 : sshPort)),
      user: "root",
      hostKey,
      ...(jump === undefined ? {} : { jump }),
    };
  }

  private identity(spec: MachineSpec, owner: pulumi.Output<string>) {
    return {
      VM: this.vmName(spec),
      NODE_NAME: spec.name,
      OWNER: pulumi.interpolate`region=${this.#args.region} machine=${spec.name} owner=${owner}`,
      LEAST_LIMA,
    };
  }

  private vmName({ name }: MachineSpec): string {
    return `${this.#args.region}-${name}`;
  }
}

/** A parameter that the VM was made with, as it stands in the state: `create` is kept whatever the settings say. */
const made = (vm: ReturnType<typeof limaScript>, name: string, otherwise: string): pulumi.Output<string> =>
  vm.create.apply((text) => parseCommandText(text ?? "")?.parameters[name] ?? otherwise);
