import { Provider, type ProviderArgs } from "@pulumi/aws/provider.js";
import * as lightsail from "@pulumi/aws/lightsail/index.js";
import * as pulumi from "@pulumi/pulumi";
import { hostBaseline } from "../bootstrap/baseline.ts";
import { hostKey, type HostKey } from "../bootstrap/host-key.ts";
import type { LoginKey } from "../bootstrap/login-key.ts";
import { firstBootOf } from "../bootstrap/first-boot-of.ts";
import { boundTo, lifeOf } from "../machine-life.ts";
import type { Machine, MachineSpec, SshTarget } from "../machine.ts";
import type { Invitation, Mesh } from "../mesh/mesh.ts";
import { openPorts } from "../mesh/open-ports.ts";
import { addressesOf, wayIn } from "../mesh/way-in.ts";
import { noteDifference, noteWaiting } from "../waiting.ts";
import { BLUEPRINTS } from "./catalog.ts";
import { publicPorts } from "./public-ports.ts";

const TYPE = "hybrid-k3s:lightsail:Site";

/** Where a disk is attached; newer bundles show it under an NVMe name. Linux decides, so both are looked for. */
const DISK_PATH = "/dev/xvdf";
const DISK_NAMES = [DISK_PATH, "/dev/nvme1n1"];

/** One instance of a site. */
export interface LightsailMachine {
  readonly spec: MachineSpec;
  /** Such as `ap-northeast-1a`. */
  readonly availabilityZone: string;
  /** Id of the image, a key of {@link BLUEPRINTS}. */
  readonly blueprint: string;
  /** Id of the size, such as `large_3_0`. */
  readonly bundle: string;
  /** Size of an extra disk for the volumes of k3s's local storage. GiB. @default none */
  readonly diskGiB?: number;
  /** Hour of the daily automatic snapshot, in UTC, such as `18:00`. @default none */
  readonly snapshotAt?: string;
  /** Whether ports 80 and 443 are open to the world. */
  readonly ingress: boolean;
}

/** Arguments of {@link LightsailSite}. */
export interface LightsailSiteArgs {
  /** The region of the stack: it stands in front of the names in the AWS account. */
  readonly region: string;
  /** Such as `ap-northeast-1`. */
  readonly awsRegion: string;
  readonly machines: readonly LightsailMachine[];
  /** Ranges that may connect to SSH, and to the API of servers. */
  readonly accessFrom: readonly string[];
  /** Tags of all resources that take some. */
  readonly tags: Readonly<Record<string, string>>;
  readonly login: LoginKey;
  /** Seconds that an instance may take to boot and to answer on SSH. */
  readonly connectSeconds: number;
  /** The mesh that instances join at their first boot. @default none */
  readonly mesh?: Mesh;
  /** Whether the address in the mesh is the node's, for a LAN whose range another site has too. @default false */
  readonly meshAddresses?: boolean;
}

/** Lightsail instances of one AWS region: each with its firewall, servers with an address that outlives them. */
export class LightsailSite extends pulumi.ComponentResource {
  /** One machine an instance. */
  readonly machines: readonly Machine[];
  readonly #name: string;
  readonly #args: LightsailSiteArgs;
  readonly #provider: Provider;
  readonly #keyPair: lightsail.KeyPair;

  constructor(name: string, args: LightsailSiteArgs, options?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, options);
    this.#name = name;
    this.#args = args;
    this.#provider = new Provider(
      `${name}-aws`,
      { region: args.awsRegion as NonNullable<ProviderArgs["region"]> },
      { parent: this },
    );
    this.#keyPair = this.keyPair();
    this.machines = args.machines.map((machine) => this.machine(machine));
    this.registerOutputs({});
  }

  private machine(machine: LightsailMachine): Machine {
    const { spec } = machine;
    const key = hostKey(spec.name, { parent: this });
    const disk = this.disk(machine);
    const invitation = this.#args.mesh?.invite(spec, { parent: this });
    const instance = this.instance(machine, key, disk, invitation);
    const address = spec.role === "server" ? this.staticAddress(machine, instance) : undefined;
    const attached = disk === undefined ? [] : [this.attachment(machine, disk, instance)];
    const before = [this.ports(machine, instance), ...attached];
    // The provider's own id is the name, which the next generation has too.
    const id = pulumi.interpolate`${instance.name} ${instance.createdAt}`;
    const member = invitation && this.#args.mesh?.member(spec, invitation, id, { parent: this, dependsOn: before });
    const outside = address?.ip ?? instance.publicIpAddress;
    const way = wayIn(member, this.#args.accessFrom, outside);
    const ssh: SshTarget = { host: way.host, port: 22, user: userOf(machine), hostKey: key.publicKey };
    const baseline = hostBaseline(
      `${spec.name}-host`,
      {
        spec,
        region: this.#args.region,
        ssh,
        login: this.#args.login,
        connectSeconds: this.#args.connectSeconds,
        bootstrapped: true,
        ...(machine.diskGiB === undefined ? {} : { dataDisk: DISK_NAMES }),
      },
      {
        parent: this,
        dependsOn: [...before, ...(address === undefined ? [] : [address.attachment])],
        ...boundTo(spec, instance),
      },
    );
    this.note(machine, instance, disk);
    return {
      spec,
      ...addressesOf(instance.privateIpAddress, member, this.#args.meshAddresses),
      apiAddress: way.host,
      ssh,
      reach: `generation ${spec.generation}${way.note}`,
      id,
      resource: instance,
      ready: [baseline, ...(member === undefined ? [] : [member.resource])],
    };
  }

  /** Named after the key: another key is another pair, and no instance is touched. */
  private keyPair(): lightsail.KeyPair {
    const { login, tags } = this.#args;
    const name = `${this.#name}-login-${login.digest}`;
    return new lightsail.KeyPair(name, { name, publicKey: login.publicKey, tags: { ...tags } }, this.inAccount());
  }

  private instance(
    machine: LightsailMachine,
    key: HostKey,
    disk: lightsail.Disk | undefined,
    invitation: Invitation | undefined,
  ): lightsail.Instance {
    const { spec, blueprint, snapshotAt } = machine;
    const distribution = BLUEPRINTS[blueprint]?.distribution ?? "debian-12";
    return new lightsail.Instance(
      `${spec.name}-instance`,
      {
        name: this.cloudName(spec.name),
        // A disk does not move, so its instance stays in its zone: an instance elsewhere could not have it.
        availabilityZone: disk?.availabilityZone ?? machine.availabilityZone,
        blueprintId: blueprint,
        bundleId: machine.bundle,
        keyPairName: this.#keyPair.name,
        userData: firstBootOf(distribution, key, invitation),
        ipAddressType: "dualstack",
        addOn: {
          type: "AutoSnapshot",
          snapshotTime: snapshotAt ?? "06:00",
          status: snapshotAt === undefined ? "Disabled" : "Enabled",
        },
        tags: this.tagsOf(spec),
      },
      this.inAccount({
        replacementTrigger: lifeOf(spec),
        deleteBeforeReplace: true,
        // They count when an instance is made, and a change of one must never cost an instance: see noteWaiting.
        ignoreChanges: ["availabilityZone", "blueprintId", "bundleId", "keyPairName", "userData"],
      }),
    );
  }

  /** An address that the next generation keeps, so that nobody who knows the server has to learn another. */
  private staticAddress(machine: LightsailMachine, instance: lightsail.Instance) {
    const { name } = machine.spec;
    const address = new lightsail.StaticIp(
      `${name}-address`,
      { name: this.cloudName(name, "address") },
      this.inAccount(),
    );
    const attachment = new lightsail.StaticIpAttachment(
      `${name}-address-attachment`,
      { staticIpName: address.name, instanceName: instance.name },
      this.inAccount(boundTo(machine.spec, instance)),
    );
    return { ip: address.ipAddress, attachment };
  }

  /**
   * The complete list of open ports. The API has no edit: a changed list is made anew, and in Pulumi's usual order the
   * old list's end would close the ports of the new one (https://github.com/pulumi/pulumi-aws/issues/1511).
   */
  private ports(machine: LightsailMachine, instance: lightsail.Instance): pulumi.Resource {
    return new lightsail.InstancePublicPorts(
      `${machine.spec.name}-ports`,
      {
        instanceName: instance.name,
        portInfos: publicPorts({
          role: machine.spec.role,
          ingress: machine.ingress,
          accessFrom: this.#args.accessFrom,
          ...(this.#args.mesh === undefined ? {} : { meshPort: this.#args.mesh.port }),
          publicPorts: openPorts(machine.spec),
        }),
      },
      this.inAccount(boundTo(machine.spec, instance)),
    );
  }

  /**
   * The disk outlives the instance; only its attachment does not. Lightsail changes neither its size nor its zone, and
   * another disk would be an empty one: a changed text in a file must never cost what is on it.
   */
  private disk({ spec, diskGiB, availabilityZone }: LightsailMachine): lightsail.Disk | undefined {
    if (diskGiB === undefined) return undefined;
    const disk = new lightsail.Disk(
      `${spec.name}-disk`,
      { name: this.cloudName(spec.name, "data"), availabilityZone, sizeInGb: diskGiB, tags: this.tagsOf(spec) },
      this.inAccount({ ignoreChanges: ["availabilityZone", "sizeInGb"] }),
    );
    noteDifference(
      disk.sizeInGb,
      diskGiB,
      (found) =>
        `${spec.name}.disk: the disk has ${found}GiB, and the settings say ${diskGiB}GiB · it stays as it is: Lightsail does not change a disk's size, and another disk would be empty · fix: write ${found}GiB again, or move what is on it elsewhere, take the disk out of the settings, run pulumi up, and put it back`,
      disk,
    );
    return disk;
  }

  private attachment(machine: LightsailMachine, disk: lightsail.Disk, instance: lightsail.Instance): pulumi.Resource {
    return new lightsail.Disk_attachment(
      `${machine.spec.name}-disk-attachment`,
      { diskName: disk.name, diskPath: DISK_PATH, instanceName: instance.name },
      this.inAccount(boundTo(machine.spec, instance)),
    );
  }

  private note(
    { spec, bundle, blueprint, availabilityZone }: LightsailMachine,
    instance: lightsail.Instance,
    disk: lightsail.Disk | undefined,
  ): void {
    // As the settings write it: the letter alone.
    const letter = (zone: string): string => zone.slice(this.#args.awsRegion.length);
    const wanted = letter(availabilityZone);
    noteWaiting(
      spec,
      {
        bundle: { wanted: bundle, actual: instance.bundleId },
        blueprint: { wanted: blueprint, actual: instance.blueprintId },
        ...(disk === undefined ? { zone: { wanted, actual: instance.availabilityZone.apply(letter) } } : {}),
      },
      instance,
    );
    if (disk === undefined) return;
    noteDifference(
      disk.availabilityZone.apply(letter),
      wanted,
      (found) =>
        `${spec.name}.zone: the machine's disk is in zone ${found}, and the settings say ${wanted} · the next generation is made in ${found} too: a disk does not move · fix: write ${found} again, or make a machine of another name in ${wanted}`,
      disk,
    );
  }

  private inAccount(more: pulumi.CustomResourceOptions = {}): pulumi.CustomResourceOptions {
    return { parent: this, provider: this.#provider, ...more };
  }

  /**
   * A name in the account, where resources of all types share one space of names
   * (https://github.com/hashicorp/terraform-provider-aws/pull/9008). No machine's name has an underscore.
   */
  private cloudName(machine: string, part?: string): string {
    return `${this.#args.region}-${machine}${part === undefined ? "" : `_${part}`}`;
  }

  private tagsOf({ name }: MachineSpec): Record<string, string> {
    return { ...this.#args.tags, "hybrid-k3s-machine": name, "hybrid-k3s-region": this.#args.region };
  }
}

const userOf = ({ blueprint }: LightsailMachine): string => BLUEPRINTS[blueprint]?.user ?? "root";
