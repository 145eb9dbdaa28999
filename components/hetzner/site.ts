import * as hcloud from "@pulumi/hcloud";
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
import type { PublicAccess } from "../network/public-rules.ts";
import { noteWaiting } from "../waiting.ts";
import { IMAGES, LOGIN_USER } from "./catalog.ts";
import { ACCESS_LABEL, accessOf, firewall } from "./firewall.ts";
import { BALANCED_LABEL, loadBalancer, type LoadBalancerChoice } from "./load-balancer.ts";
import { LIFE_LABEL, locationsOf } from "./location.ts";
import { privateNetwork } from "./private-network.ts";
import { placementGroups, type PlacementGroups } from "./placement.ts";
import { serverProtection } from "./protection.ts";

const TYPE = "hybrid-k3s:hetzner:Site";

/** One server of a site. */
export interface HetznerMachine {
  readonly spec: MachineSpec;
  /** Server type, such as `cx33`. */
  readonly type: string;
  /** Name of the image, a key of {@link IMAGES}. */
  readonly image: string;
  /** Such as `fsn1`, in order of preference: the first that has the type counts when the server is made. */
  readonly locations: readonly string[];
  /** Whether it has a public IPv4 address beside the IPv6 one. */
  readonly publicIpv4: boolean;
  /** Size of an extra disk for the volumes of k3s's local storage. GiB. @default none */
  readonly volumeGiB?: number;
  /** Whether requests on ports 80 and 443 come to it: from the world, or through the site's load balancer. */
  readonly ingress: boolean;
}

/** Arguments of {@link HetznerSite}. */
export interface HetznerSiteArgs {
  /** The region of the stack: it stands in front of the names in the project. */
  readonly region: string;
  /** Name of the site. */
  readonly site: string;
  /** Range of the private network, CIDR. */
  readonly lan: string;
  /** Such as `eu-central`. */
  readonly networkZone: string;
  readonly machines: readonly HetznerMachine[];
  /** Ranges that may connect to SSH, and to the API of servers. */
  readonly accessFrom: readonly string[];
  /** Labels of all resources that take some. */
  readonly tags: Readonly<Record<string, string>>;
  readonly login: LoginKey;
  /** Seconds that a server may take to boot and to answer on SSH. */
  readonly connectSeconds: number;
  /** Numbers of the placement groups that the last successful run left machines in, by name. */
  readonly placementGroups: Readonly<Record<string, number>>;
  /** Token of the project. Secret. @default `HCLOUD_TOKEN` of the environment */
  readonly token?: string;
  /** Address of the API. @default Hetzner's own */
  readonly apiEndpoint?: string;
  /** What takes requests in front of the servers with `ingress`. @default they take them themselves */
  readonly loadBalancer?: LoadBalancerChoice;
  /** The mesh that servers join at their first boot. @default none */
  readonly mesh?: Mesh;
  /** Whether the address in the mesh is the node's, for a LAN whose range another site has too. @default false */
  readonly meshAddresses?: boolean;
}

/** A server's addresses, which outlive it. */
interface Addresses {
  readonly ipv4?: hcloud.PrimaryIp;
  readonly ipv6: hcloud.PrimaryIp;
}

/** The provider gives ids as texts and takes them as numbers. */
const numberOf = ({ id }: pulumi.CustomResource): pulumi.Output<number> => id.apply(Number);

/** Hetzner Cloud servers of one network zone: a private network, firewalls, addresses that outlive the servers. */
export class HetznerSite extends pulumi.ComponentResource {
  /** One machine a server. */
  readonly machines: readonly Machine[];
  /** Public address of the load balancer. @default there is none */
  readonly ingressAddress?: pulumi.Output<string>;
  readonly #name: string;
  readonly #args: HetznerSiteArgs;
  readonly #provider: hcloud.Provider;
  readonly #subnet: hcloud.NetworkSubnet;
  readonly #sshKey: hcloud.SshKey;
  readonly #firewalls = new Map<string, hcloud.Firewall>();
  readonly #groups: PlacementGroups;
  readonly #locations: pulumi.Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: HetznerSiteArgs, options?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, options);
    this.#name = name;
    this.#args = args;
    this.#provider = new hcloud.Provider(
      `${name}-hcloud`,
      {
        ...(args.token === undefined ? {} : { token: pulumi.secret(args.token) }),
        ...(args.apiEndpoint === undefined ? {} : { endpoint: args.apiEndpoint }),
      },
      { parent: this },
    );
    this.#subnet = privateNetwork(name, { ...args, labels: this.labels() }, this.inProject());
    this.#sshKey = this.sshKey();
    this.#groups = placementGroups(
      name,
      args.machines.map(({ spec }) => spec),
      args.placementGroups,
      this.labels(),
      this.inProject(),
    );
    this.#locations = locationsOf(
      args.machines.map(({ spec, type, locations }) => ({
        ...{ name: spec.name, type, locations },
        server: this.cloudName(spec.name),
        life: lifeLabel(spec),
        address: this.addressName(spec, "ipv6"),
      })),
      this.selector(),
      this,
      { parent: this, provider: this.#provider },
    );
    this.machines = args.machines.map((machine) => this.machine(machine));
    if (args.loadBalancer !== undefined) {
      this.ingressAddress = loadBalancer(
        `${name}-load-balancer`,
        { ...args.loadBalancer, name, labels: this.labels(), selector: this.selector(), subnet: this.#subnet },
        this.inProject(),
      );
    }
    this.registerOutputs({});
  }

  private machine(machine: HetznerMachine): Machine {
    const { spec } = machine;
    const key = hostKey(spec.name, { parent: this });
    const addresses = this.addresses(machine);
    const volume = this.volume(machine, addresses);
    const invitation = this.#args.mesh?.invite(spec, { parent: this });
    const server = this.server(machine, addresses, { key, invitation }, volume);
    const network = this.membership(machine, server);
    const attachments = volume === undefined ? [] : [this.attachment(machine, volume, server)];
    const member = invitation && this.#args.mesh?.member(spec, invitation, server.id, { parent: this });
    const way = wayIn(member, this.#args.accessFrom, addresses.ipv4?.ipAddress ?? server.ipv6Address);
    const ssh: SshTarget = { host: way.host, port: 22, user: LOGIN_USER, hostKey: key.publicKey };
    const baseline = hostBaseline(
      `${spec.name}-host`,
      {
        spec,
        region: this.#args.region,
        ssh,
        login: this.#args.login,
        connectSeconds: this.#args.connectSeconds,
        bootstrapped: true,
        // https://docs.hetzner.com/cloud/volumes/getting-started/mounting-a-volume
        ...(volume === undefined
          ? {}
          : {
              dataDisk: [pulumi.interpolate`/dev/disk/by-id/scsi-0HC_Volume_${volume.id}`],
              ...(machine.volumeGiB === undefined ? {} : { dataGiB: machine.volumeGiB }),
            }),
      },
      {
        parent: this,
        dependsOn: [network, ...attachments],
        ...boundTo(spec, server),
      },
    );
    this.note(machine, server);
    return {
      spec,
      ...addressesOf(network.ip, member, this.#args.meshAddresses),
      apiAddress: way.host,
      ssh,
      reach: `generation ${spec.generation}${way.note === "" && !machine.publicIpv4 ? ", IPv6" : way.note}`,
      placementGroup: this.#groups.of(spec).number,
      id: server.id,
      resource: server,
      ready: [
        baseline,
        ...(member === undefined ? [] : [member.resource]),
        ...this.protection(machine, server, baseline),
      ],
    };
  }

  /** Named after the key: another key is another entry, and no server is touched. */
  private sshKey(): hcloud.SshKey {
    const { login } = this.#args;
    const name = `${this.#name}-login-${login.digest}`;
    return new hcloud.SshKey(name, { name, publicKey: login.publicKey, labels: this.labels() }, this.inProject());
  }

  /** Addresses that the next generation keeps, so that nobody who knows the server has to learn another. */
  private addresses({ spec, publicIpv4 }: HetznerMachine): Addresses {
    const location = this.#locations.apply((locations) => locations[spec.name] ?? "");
    const address = (family: "ipv4" | "ipv6"): hcloud.PrimaryIp =>
      new hcloud.PrimaryIp(
        `${spec.name}-${family}`,
        { name: this.addressName(spec, family), type: family, location, autoDelete: false, labels: this.labels(spec) },
        // Where a type is sold out changes every day; an address that stands decides for its server.
        this.inProject({ ignoreChanges: ["location"] }),
      );
    return { ...(publicIpv4 ? { ipv4: address("ipv4") } : {}), ipv6: address("ipv6") };
  }

  private server(
    machine: HetznerMachine,
    { ipv4, ipv6 }: Addresses,
    { key, invitation }: { readonly key: HostKey; readonly invitation: Invitation | undefined },
    volume: hcloud.Volume | undefined,
  ): hcloud.Server {
    const { spec, image } = machine;
    const distribution = IMAGES[image]?.distribution ?? "debian-12";
    return new hcloud.Server(
      `${spec.name}-server`,
      {
        name: this.cloudName(spec.name),
        serverType: machine.type,
        image,
        location: ipv6.location,
        sshKeys: [this.#sshKey.id],
        userData: firstBootOf(distribution, key, invitation),
        publicNets: [
          {
            ipv4Enabled: ipv4 !== undefined,
            ...(ipv4 === undefined ? {} : { ipv4: numberOf(ipv4) }),
            ipv6Enabled: true,
            ipv6: numberOf(ipv6),
          },
        ],
        placementGroupId: numberOf(this.#groups.of(spec).group),
        labels: {
          ...this.labels(spec),
          [ACCESS_LABEL]: accessOf(this.access(machine)),
          [LIFE_LABEL]: lifeLabel(spec),
          ...(this.isBalanced(machine) ? { [BALANCED_LABEL]: "yes" } : {}),
        },
      },
      this.inProject({
        // The subnet and the volume are no inputs; but in a destroy they are taken away after the server, not under it.
        dependsOn: [this.firewall(machine), this.#subnet, ...(volume === undefined ? [] : [volume])],
        replacementTrigger: lifeOf(spec),
        deleteBeforeReplace: true,
        // They count when a server is made, and a change of one must never cost a server: see noteWaiting. Another type
        // or group would be taken in place, but only with the server off.
        // Protection is the script's alone: a server is protected exactly while what lifts it stands in the state, so one
        // whose first contact failed can be deleted.
        ignoreChanges: [
          ...["location", "serverType", "image", "userData", "sshKeys", "placementGroupId"],
          ...["deleteProtection", "rebuildProtection"],
        ],
      }),
    );
  }

  /** The membership in the private network on its own: an inline one is detached and attached again by every change. */
  private membership(machine: HetznerMachine, server: hcloud.Server): hcloud.ServerNetwork {
    return new hcloud.ServerNetwork(
      `${machine.spec.name}-network`,
      { serverId: numberOf(server), subnetId: this.#subnet.id },
      this.inProject(boundTo(machine.spec, server)),
    );
  }

  /** The volume outlives the server; only its attachment does not. */
  private volume({ spec, volumeGiB }: HetznerMachine, { ipv6 }: Addresses): hcloud.Volume | undefined {
    if (volumeGiB === undefined) return undefined;
    return new hcloud.Volume(
      `${spec.name}-volume`,
      {
        name: `${this.cloudName(spec.name)}-data`,
        size: volumeGiB,
        location: ipv6.location,
        labels: this.labels(spec),
      },
      this.inProject({ ignoreChanges: ["location"] }),
    );
  }

  private attachment(machine: HetznerMachine, volume: hcloud.Volume, server: hcloud.Server): hcloud.VolumeAttachment {
    return new hcloud.VolumeAttachment(
      `${machine.spec.name}-volume-attachment`,
      { volumeId: numberOf(volume), serverId: numberOf(server), automount: false },
      this.inProject(boundTo(machine.spec, server)),
    );
  }

  /** The firewall of all servers of the site that have the same rules. */
  private firewall(machine: HetznerMachine): hcloud.Firewall {
    const access = this.access(machine);
    const set = accessOf(access);
    const known = this.#firewalls.get(set);
    if (known !== undefined) return known;
    const name = `${this.#name}-${set}`;
    const made = firewall(
      `${name}-firewall`,
      { name, access, labels: this.labels(), selector: this.selector() },
      this.inProject(),
    );
    this.#firewalls.set(set, made);
    return made;
  }

  private isBalanced({ ingress }: HetznerMachine): boolean {
    return ingress && this.#args.loadBalancer !== undefined;
  }

  /** What a server's firewall lets in. It does not filter the private network, over which a load balancer comes. */
  private access(machine: HetznerMachine): PublicAccess {
    const { accessFrom, mesh } = this.#args;
    const { spec } = machine;
    return {
      role: spec.role,
      ingress: machine.ingress && !this.isBalanced(machine),
      accessFrom,
      ...(mesh === undefined ? {} : { meshPort: mesh.port }),
      publicPorts: openPorts(spec),
    };
  }

  /**
   * After all that is bound to the server, so that its end comes before theirs; and before k3s, so that a node has left
   * by then. Not `deletedWith` the server: its end is what lets the server go.
   */
  private protection(
    machine: HetznerMachine,
    server: hcloud.Server,
    baseline: pulumi.Resource,
  ): readonly pulumi.Resource[] {
    const { spec } = machine;
    if (spec.role !== "server") return [];
    const { token, apiEndpoint } = this.#args;
    return [
      serverProtection(
        `${spec.name}-protection`,
        {
          machine: spec.name,
          serverId: server.id,
          ...(token === undefined ? {} : { token }),
          ...(apiEndpoint === undefined ? {} : { apiEndpoint }),
        },
        { parent: this, dependsOn: [baseline], replacementTrigger: lifeOf(spec), deleteBeforeReplace: true },
      ),
    ];
  }

  private note({ spec, type, image }: HetznerMachine, server: hcloud.Server): void {
    noteWaiting(
      spec,
      { type: { wanted: type, actual: server.serverType }, image: { wanted: image, actual: server.image } },
      server,
    );
  }

  private inProject(more: pulumi.CustomResourceOptions = {}): pulumi.CustomResourceOptions {
    return { parent: this, provider: this.#provider, ...more };
  }

  private addressName({ name }: MachineSpec, family: "ipv4" | "ipv6"): string {
    return `${this.cloudName(name)}-${family}`;
  }

  private cloudName(machine: string): string {
    return `${this.#args.region}-${machine}`;
  }

  /** Selects everything of the site. */
  private selector(): string {
    return `hybrid-k3s/region=${this.#args.region},hybrid-k3s/site=${this.#args.site}`;
  }

  private labels(spec?: MachineSpec): Record<string, string> {
    return {
      ...this.#args.tags,
      "hybrid-k3s/region": this.#args.region,
      "hybrid-k3s/site": this.#args.site,
      ...(spec === undefined ? {} : { "hybrid-k3s/machine": spec.name }),
    };
  }
}

/** As a label has it: without a space. */
const lifeLabel = (spec: MachineSpec): string => lifeOf(spec).replace(" ", "-");
