import { IMAGES, mismatch, serverTypeOf } from "../../components/hetzner/catalog.ts";
import type { Host } from "../world/host.ts";
import { firstBoot } from "../world/mesh-membership.ts";
import { endpointOf, type World } from "../world/world.ts";
import type { Operation } from "./stand-in.ts";
import { hostKeyIn, listOf, numberOf, objectOf, textOf } from "./values.ts";
import type { Values } from "../../provider/protocol/wire.ts";

/** Labels of a resource. */
export type Labels = Readonly<Record<string, string>>;

/** Labels among the inputs of a resource. */
export const labelsOf = (inputs: Values): Labels =>
  Object.fromEntries(Object.entries(objectOf(inputs["labels"])).map(([key, value]) => [key, textOf(value)]));

/** Whether labels fit a selector of the form `key=value,key=value`, the only one that this project writes. */
export const selects = (selector: string, labels: Labels): boolean =>
  selector.split(",").every((term) => {
    const [key = "", value] = term.split("=");
    return labels[key] === value;
  });

/** An error as the provider's client words it: https://github.com/hetznercloud/hcloud-go/blob/v2.47.0/hcloud/error.go */
export const apiError = (code: string, message: string): Error => new Error(`${message} (${code})`);

/** A primary IP. */
export interface Address {
  readonly name: string;
  readonly type: string;
  readonly ip: string;
  readonly location: string;
  labels: Labels;
  server: string | undefined;
}

/** A server. */
export interface Server {
  name: string;
  readonly host: Host;
  readonly location: string;
  readonly group: string;
  readonly addresses: readonly string[];
  labels: Labels;
}

/** A firewall. */
export interface Firewall {
  selectors: readonly string[];
  rules: readonly string[];
}

/** What servers a spread group takes. https://docs.hetzner.com/cloud/placement-groups/overview */
const GROUP_SIZE = 10;

/** A project of Hetzner Cloud, as far as this project's resources show it. Everything is kept by id. */
export class Project {
  readonly world: World;
  readonly servers = new Map<string, Server>();
  readonly addresses = new Map<string, Address>();
  readonly keys = new Map<string, string>();
  readonly firewalls = new Map<string, Firewall>();
  /** By network: the addresses given out, by server. */
  readonly networks = new Map<string, Map<string, string>>();
  readonly volumes = new Map<string, { readonly location: string; server: string | undefined }>();
  readonly #names = new Map<string, string>();

  constructor(world: World) {
    this.world = world;
  }

  /** Takes a name that must be unique among resources of a kind, and gives the resource its id. */
  claim(kind: string, name: string): string {
    if ([...this.#names.values()].includes(`${kind}/${name}`)) {
      throw apiError("uniqueness_error", `${kind} name is already used`);
    }
    const id = String(10_000_000 + this.world.cloud.next());
    this.#names.set(id, `${kind}/${name}`);
    return id;
  }

  /** Gives a name back. */
  release(id: string): void {
    this.#names.delete(id);
  }

  /** Another name for a resource. */
  rename(id: string, kind: string, name: string): void {
    this.#names.set(id, `${kind}/${name}`);
  }

  server(id: string): Server {
    const found = this.servers.get(id);
    if (found === undefined) throw apiError("not_found", `server with ID '${id}' not found`);
    return found;
  }

  change({ name: resource }: Operation, host: string, text: string): void {
    this.world.record({ kind: "change", resource, host, script: "", action: "", node: host, text, seconds: 0 });
  }

  /** Lets every firewall do its work: which ports of which server are open. */
  filter(operation: Operation): void {
    const { publicRules } = this.world.cloud;
    for (const { host, labels } of this.servers.values()) {
      const behind = [...this.firewalls.values()].filter(({ selectors }) =>
        selectors.some((selector) => selects(selector, labels)),
      );
      // Without a firewall nothing is filtered.
      const open = behind.length === 0 ? ["all from 0.0.0.0/0 ::/0"] : behind.flatMap(({ rules }) => rules);
      if (publicRules.get(host.name)?.join("\n") === open.join("\n")) continue;
      publicRules.set(host, open, operation.name);
      host.firewalled = !open.some((line) => /^(?:all|tcp 22) /.test(line));
      this.change(operation, host.name, `open: ${open.join(", ") || "nothing"}`);
    }
  }

  /** Ids of the primary IPs that a server is made with. */
  #wantedAddresses(inputs: Values): readonly string[] {
    const [net] = listOf(inputs["publicNets"]).map(objectOf);
    return ["ipv4", "ipv6"].flatMap((family) =>
      net?.[`${family}Enabled`] === false || net?.[family] === undefined ? [] : [String(numberOf(net[family]))],
    );
  }

  /** @throws Error in the API's words if it would not make this server */
  refuse(inputs: Values): void {
    const [type = "", image = "", location = ""] = ["serverType", "image", "location"].map((key) =>
      textOf(inputs[key]),
    );
    const known = serverTypeOf(type);
    if (known === undefined) throw apiError("invalid_input", `server type ${type} not found`);
    if (IMAGES[image] === undefined) throw apiError("invalid_input", `image ${image} not found`);
    if (mismatch(IMAGES[image], known) !== undefined) {
      throw apiError("invalid_input", `image ${image} has no ${known.architecture} build`);
    }
    if (this.servers.size >= (this.world.cloud.quota ?? Infinity)) {
      throw apiError("resource_limit_exceeded", "server limit exceeded");
    }
    if (!known.locations.includes(location) || this.world.cloud.soldOut.has(`${type} ${location}`)) {
      throw apiError("resource_unavailable", "error during placement");
    }
    const group = textOf(inputs["placementGroupId"]) || String(numberOf(inputs["placementGroupId"]));
    if ([...this.servers.values()].filter((server) => server.group === group).length >= GROUP_SIZE) {
      throw apiError("placement_error", `placement group ${group} has ${GROUP_SIZE} servers already`);
    }
    for (const id of this.#wantedAddresses(inputs)) {
      const address = this.addresses.get(id);
      if (address === undefined) throw apiError("not_found", `primary IP with ID '${id}' not found`);
      if (address.server !== undefined) throw apiError("conflict", `primary IP ${address.name} is assigned already`);
      if (address.location !== location) {
        throw apiError("invalid_input", `primary IP ${address.name} is not in ${location}`);
      }
    }
  }

  /** Boots a server: a host comes into the world. */
  boot(operation: Operation, id: string): Server {
    const { inputs } = operation;
    const labels = labelsOf(inputs);
    const machine = labels["hybrid-k3s/machine"] ?? textOf(inputs["name"]);
    const addresses = this.#wantedAddresses(inputs);
    const host = this.world.addHost({
      name: machine,
      endpoint: endpointOf(this.outside(addresses), 22),
      address: "",
      network: labels["hybrid-k3s/region"] ?? "",
      hostKey: hostKeyIn(textOf(inputs["userData"])),
    });
    const boot = this.world.cloud.boot(machine);
    host.bootSeconds = boot.seconds;
    host.sshUp = !boot.silent;
    const logins = listOf(inputs["sshKeys"]).map((key) => this.keys.get(textOf(key)) ?? "");
    host.authorizedKeys = new Set(logins.filter((key) => key !== ""));
    const group = String(numberOf(inputs["placementGroupId"]));
    const server: Server = {
      name: textOf(inputs["name"]),
      host,
      location: textOf(inputs["location"]),
      group,
      addresses,
      labels,
    };
    for (const [address, entry] of this.addresses) if (addresses.includes(address)) entry.server = id;
    this.servers.set(id, server);
    this.change(operation, machine, "server made");
    const said = firstBoot(this.world, host, textOf(inputs["userData"]));
    if (said !== undefined) this.change(operation, machine, said);
    return server;
  }

  /** The address by which a server is reached: the IPv4 one where it has one. */
  outside(addresses: readonly string[]): string {
    const [first] = addresses.flatMap((id) => this.addresses.get(id) ?? []);
    return first === undefined ? "" : first.type === "ipv4" ? first.ip : `${first.ip}1`;
  }

  /** A server's address of a family; empty where it has none. */
  addressOf({ addresses }: Server, family: string): string {
    const found = addresses.flatMap((id) => this.addresses.get(id) ?? []).find(({ type }) => type === family);
    return found === undefined ? "" : family === "ipv4" ? found.ip : `${found.ip}1`;
  }
}
