import { BLUEPRINTS, bundleOf } from "../../components/lightsail/catalog.ts";
import type { Host } from "../world/host.ts";
import { firstBoot } from "../world/mesh-membership.ts";
import { endpointOf, type World } from "../world/world.ts";
import type { Operation, StandIn, StandInType } from "./stand-in.ts";
import { hostKeyIn, listOf, numberOf, objectOf, textOf } from "./values.ts";
import type { Values } from "../../provider/protocol/wire.ts";

const SOURCE = "ForceNew in https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/lightsail: ";

/** One instance of the account. */
interface Instance {
  readonly host: Host;
  readonly zone: string;
  /** Its own address, which it has again when a static one leaves it. */
  readonly publicAddress: string;
}

/** An account, as far as Lightsail knows it. */
class Account {
  readonly world: World;
  readonly instances = new Map<string, Instance>();
  readonly keys = new Map<string, string>();
  readonly addresses = new Map<string, string>();
  readonly disks = new Map<string, { readonly zone: string; attachedTo: string | undefined }>();
  /** One space of names for all types, per AWS region: https://github.com/hashicorp/terraform-provider-aws/pull/9008 */
  readonly #names = new Set<string>();
  constructor(world: World) {
    this.world = world;
  }

  /** Gives a new resource its name. @throws Error in the API's words if another one has it */
  take(operation: Operation): { name: string; at: string } {
    const name = textOf(operation.inputs["name"]);
    const at = inRegion(operation, name);
    if (this.#names.has(at)) throw new Error(`InvalidInputException: Some names are already in use: ${name}`);
    this.#names.add(at);
    return { name, at };
  }

  /** Takes a deleted resource's name back. */
  free(operation: Operation): string {
    const at = inRegion(operation, operation.id);
    this.#names.delete(at);
    return at;
  }

  instance(region: string, name: string): Instance {
    const found = this.instances.get(`${region}/${name}`);
    if (found === undefined) throw new Error(`NotFoundException: The Instance does not exist: ${name}`);
    return found;
  }

  change(operation: Operation, host: string, text: string): void {
    const { name: resource } = operation;
    this.world.record({ kind: "change", resource, host, script: "", action: "", node: host, text, seconds: 0 });
  }
}

const regionOf = ({ configuration }: Operation): string => textOf(configuration["region"]);
const inRegion = (operation: Operation, name: string): string => `${regionOf(operation)}/${name}`;

function refuseInstance(account: Account, operation: Operation, name: string): void {
  const { inputs } = operation;
  const [bundle, zone, blueprint] = ["bundleId", "availabilityZone", "blueprintId"].map((key) => textOf(inputs[key]));
  const problem =
    (bundleOf(bundle ?? "") === undefined && `InvalidInputException: The bundle ID is invalid: ${bundle}`) ||
    (BLUEPRINTS[blueprint ?? ""] === undefined && `InvalidInputException: The blueprint ID is invalid: ${blueprint}`) ||
    (account.instances.size >= (account.world.cloud.quota ?? Infinity) &&
      `InvalidInputException: Sorry, you've reached your maximum limit of Lightsail Instances : ${account.world.cloud.quota}`) ||
    (account.world.cloud.soldOut.has(`${bundle} ${zone}`) &&
      `ServiceException: there is not enough capacity for ${bundle} in ${zone}`);
  if (problem !== false) throw new Error(`creating Lightsail Instance (${name}): CreateInstances: ${problem}`);
}

function bootInstance(account: Account, operation: Operation, name: string): Instance {
  const { inputs } = operation;
  const { world } = account;
  const tags = objectOf(inputs["tags"]);
  const machine = textOf(tags["hybrid-k3s-machine"]) || name;
  const number = world.cloud.next();
  const publicAddress = world.cloud.publicAddress();
  const host = world.addHost({
    name: machine,
    endpoint: endpointOf(publicAddress, 22),
    address: `172.26.${Math.floor(number / 250)}.${(number % 250) + 4}`,
    network: textOf(tags["hybrid-k3s-region"]),
    hostKey: hostKeyIn(textOf(inputs["userData"])),
  });
  const boot = world.cloud.boot(machine);
  host.bootSeconds = boot.seconds;
  host.sshUp = !boot.silent;
  const key = account.keys.get(inRegion(operation, textOf(inputs["keyPairName"])));
  host.authorizedKeys = new Set(key === undefined ? [] : [key]);
  // What a new instance has open until its own list is put: https://docs.aws.amazon.com/lightsail/latest/userguide/understanding-firewall-and-port-mappings-in-amazon-lightsail.html
  const open = ["tcp 22 from 0.0.0.0/0 ::/0", "tcp 80 from 0.0.0.0/0 ::/0"];
  account.change(operation, machine, "instance made");
  const said = firstBoot(world, host, textOf(inputs["userData"]));
  if (said !== undefined) account.change(operation, machine, said);
  world.cloud.publicRules.set(host, open, operation.name);
  return { host, zone: textOf(inputs["availabilityZone"]), publicAddress };
}

function instanceType(account: Account): StandInType {
  return {
    token: "aws:lightsail/instance:Instance",
    replaceOn: ["name", "availabilityZone", "blueprintId", "bundleId", "keyPairName", "userData"],
    source: `${SOURCE}instance.go`,
    computed: [
      ...["arn", "cpuCount", "createdAt", "ipv6Addresses", "isStaticIp"],
      ...["privateIpAddress", "publicIpAddress", "ramSize", "username"],
    ],
    create: (operation) => {
      const { inputs } = operation;
      const name = textOf(inputs["name"]);
      refuseInstance(account, operation, name);
      account.take(operation);
      const instance = bootInstance(account, operation, name);
      account.instances.set(inRegion(operation, name), instance);
      const bundle = bundleOf(textOf(inputs["bundleId"]));
      return Promise.resolve({
        id: name,
        outputs: {
          arn: `arn:aws:lightsail:${regionOf(operation)}:000000000000:Instance/${name}`,
          cpuCount: bundle?.cpus ?? 0,
          createdAt: new Date(Date.UTC(2026, 0, 1, 0, 0, account.world.cloud.next())).toISOString(),
          ipv6Addresses: [],
          isStaticIp: false,
          privateIpAddress: instance.host.address,
          publicIpAddress: instance.publicAddress,
          ramSize: bundle?.memoryGiB ?? 0,
          username: BLUEPRINTS[textOf(inputs["blueprintId"])]?.user ?? "",
        },
      });
    },
    delete: (operation) => {
      const { host } = account.instance(regionOf(operation), operation.id);
      account.instances.delete(account.free(operation));
      account.world.removeHost(host);
      account.world.cloud.publicRules.delete(host.name);
      for (const disk of account.disks.values()) if (disk.attachedTo === operation.id) disk.attachedTo = undefined;
      account.change(operation, host.name, "instance deleted");
      return Promise.resolve();
    },
  };
}

function keyPairType(account: Account): StandInType {
  return {
    token: "aws:lightsail/keyPair:KeyPair",
    replaceOn: ["name", "namePrefix", "publicKey", "pgpKey"],
    source: `${SOURCE}key_pair.go`,
    computed: ["arn", "fingerprint"],
    create: (operation) => {
      const { name, at } = account.take(operation);
      account.keys.set(at, textOf(operation.inputs["publicKey"]));
      return Promise.resolve({ id: name, outputs: { arn: `arn:aws:lightsail:::KeyPair/${name}`, fingerprint: "" } });
    },
    delete: (operation) => {
      account.keys.delete(account.free(operation));
      return Promise.resolve();
    },
  };
}

function staticIpTypes(account: Account): StandInType[] {
  const address: StandInType = {
    token: "aws:lightsail/staticIp:StaticIp",
    replaceOn: ["name"],
    source: `${SOURCE}static_ip.go`,
    computed: ["arn", "ipAddress", "supportCode"],
    create: (operation) => {
      const { name, at } = account.take(operation);
      const ipAddress = account.world.cloud.publicAddress();
      account.addresses.set(at, ipAddress);
      return Promise.resolve({ id: name, outputs: { arn: "", supportCode: "", ipAddress } });
    },
    delete: (operation) => {
      account.addresses.delete(account.free(operation));
      return Promise.resolve();
    },
  };
  const attachment: StandInType = {
    token: "aws:lightsail/staticIpAttachment:StaticIpAttachment",
    replaceOn: "all",
    source: `${SOURCE}static_ip_attachment.go`,
    computed: ["ipAddress"],
    create: (operation) => {
      const [name, of] = [textOf(operation.inputs["staticIpName"]), textOf(operation.inputs["instanceName"])];
      const ipAddress = account.addresses.get(inRegion(operation, name));
      if (ipAddress === undefined) throw new Error(`NotFoundException: The StaticIp does not exist: ${name}`);
      const { host } = account.instance(regionOf(operation), of);
      account.world.moveHost(host, endpointOf(ipAddress, 22));
      return Promise.resolve({ id: name, outputs: { ipAddress } });
    },
    delete: (operation) => {
      const { host, publicAddress } = account.instance(regionOf(operation), textOf(operation.olds["instanceName"]));
      account.world.moveHost(host, endpointOf(publicAddress, 22));
      return Promise.resolve();
    },
  };
  return [address, attachment];
}

/** Lines such as `tcp 22 from 198.51.100.7/32`. */
const ruleLines = (inputs: Values): string[] =>
  listOf(inputs["portInfos"]).map((info) => {
    const { protocol, fromPort, cidrs, ipv6Cidrs } = objectOf(info);
    const from = [...listOf(cidrs), ...listOf(ipv6Cidrs)].map(textOf).join(" ");
    return `${textOf(protocol)} ${numberOf(fromPort)} from ${from}`;
  });

/** A create puts the whole list, a delete closes what it lists: https://github.com/pulumi/pulumi-aws/issues/1511 */
function publicPortsType(account: Account): StandInType {
  const put = (operation: Operation, inputs: Values, change: (open: readonly string[]) => readonly string[]): void => {
    const { host } = account.instance(regionOf(operation), textOf(inputs["instanceName"]));
    const { publicRules } = account.world.cloud;
    const open = change(publicRules.get(host.name) ?? []);
    publicRules.set(host, open, operation.name);
    host.firewalled = !open.some((line) => line.startsWith("tcp 22 "));
    account.change(operation, host.name, `open: ${open.join(", ") || "nothing"}`);
  };
  return {
    token: "aws:lightsail/instancePublicPorts:InstancePublicPorts",
    replaceOn: "all",
    source: `${SOURCE}instance_public_ports.go`,
    computed: [],
    create: (operation) => {
      put(operation, operation.inputs, () => ruleLines(operation.inputs));
      return Promise.resolve({ id: `${textOf(operation.inputs["instanceName"])}-ports`, outputs: {} });
    },
    delete: (operation) => {
      const closed = new Set(ruleLines(operation.olds).map((line) => line.split(" from ")[0]));
      put(operation, operation.olds, (open) => open.filter((line) => !closed.has(line.split(" from ")[0])));
      return Promise.resolve();
    },
  };
}

function diskTypes(account: Account): StandInType[] {
  const disk: StandInType = {
    token: "aws:lightsail/disk:Disk",
    replaceOn: ["availabilityZone", "name", "sizeInGb"],
    source: `${SOURCE}disk.go`,
    computed: ["arn", "createdAt", "supportCode"],
    create: (operation) => {
      const { name, at } = account.take(operation);
      account.disks.set(at, {
        zone: textOf(operation.inputs["availabilityZone"]),
        attachedTo: undefined,
      });
      return Promise.resolve({ id: name, outputs: { arn: "", createdAt: "", supportCode: "" } });
    },
    delete: (operation) => {
      account.disks.delete(account.free(operation));
      return Promise.resolve();
    },
  };
  const attachment: StandInType = {
    token: "aws:lightsail/disk_attachment:Disk_attachment",
    replaceOn: "all",
    source: `${SOURCE}disk_attachment.go`,
    computed: [],
    create: (operation) => {
      const [name, of] = [textOf(operation.inputs["diskName"]), textOf(operation.inputs["instanceName"])];
      const found = account.disks.get(inRegion(operation, name));
      const { zone } = account.instance(regionOf(operation), of);
      if (found?.zone !== zone) throw new Error(`InvalidInputException: ${name} is not in the zone of ${of}, ${zone}`);
      if (found.attachedTo !== undefined) throw new Error(`OperationFailureException: ${name} is attached already`);
      found.attachedTo = of;
      return Promise.resolve({ id: `${name},${of}`, outputs: {} });
    },
    delete: (operation) => {
      const found = account.disks.get(inRegion(operation, textOf(operation.olds["diskName"])));
      if (found !== undefined) found.attachedTo = undefined;
      return Promise.resolve();
    },
  };
  return [disk, attachment];
}

/**
 * Stands in for the Lightsail part of the aws provider. The API's words for a lack of capacity are not documented; the
 * ones here are ours.
 */
export function lightsailStandIn(world: World): StandIn {
  const account = new Account(world);
  return {
    name: "aws",
    version: "7.48.0",
    types: [
      instanceType(account),
      keyPairType(account),
      ...staticIpTypes(account),
      publicPortsType(account),
      ...diskTypes(account),
    ],
    replacesProvider: (olds, news) => (olds["region"] === news["region"] ? [] : ["region"]),
    // https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html; the provider tries up to 25 times.
    retries: { 429: 24, 500: 24 },
  };
}
