import type { MeshConnection } from "../../provider/control/connect.ts";
import { connectMesh } from "../../provider/control/connect.ts";
import type { Values } from "../../provider/protocol/wire.ts";
import { NetbirdStandIn } from "../mesh/netbird.ts";
import { TailnetStandIn } from "../mesh/tailnet.ts";

/** A mesh's client, by its program's name. */
export type MeshClient = "tailscale" | "netbird";

/** A host's entry in a mesh. */
export interface MeshEntry {
  readonly id: string;
  /** As the mesh calls it: with a suffix where the name was taken. */
  readonly name: string;
  readonly address: string;
}

/** The control servers of the world's meshes: one tailnet and one NetBird account, each with an API on this computer. */
export class MeshNetworks {
  readonly tailnet = new TailnetStandIn();
  readonly netbird = new NetbirdStandIn();
  #users = 0;

  /** Starts the APIs, unless they run for somebody else already. Every open needs its close. */
  async open(): Promise<void> {
    this.#users++;
    if (this.#users === 1) await Promise.all([this.tailnet.serve(), this.netbird.serve()]);
  }

  /** Ends the APIs once nobody needs them. */
  async close(): Promise<void> {
    this.#users--;
    if (this.#users === 0) await Promise.all([this.tailnet.stop(), this.netbird.stop()]);
  }

  /**
   * The connection that a provider's configuration leads to here: whatever address and credential it has, those of the
   * stand-ins take their place. Headscale is played by the tailnet, in Tailscale's own words.
   */
  connect(configuration: Values): MeshConnection {
    const { tailnet, netbird } = this;
    const given: Values =
      configuration["control"] === "netbird"
        ? { control: "netbird", url: netbird.url, token: netbird.token }
        : { control: "tailscale", url: tailnet.url, apiKey: tailnet.apiKey };
    return connectMesh(given, {});
  }

  /** Milliseconds since 1970, by the clock that keys expire by. */
  now(): number {
    return this.tailnet.clock.now();
  }

  /** Lets time pass for all of them. */
  advance(seconds: number): void {
    this.tailnet.clock.advance(seconds);
    this.netbird.clock.advance(seconds);
  }

  /**
   * What a client does with a key on a host that is in no mesh.
   * @returns the entry, or what the client prints when it is refused
   */
  join(client: MeshClient, key: string, hostname: string): MeshEntry | string {
    if (client === "tailscale") return this.tailnet.join({ key, hostname });
    const peer = this.netbird.join({ key, hostname });
    return typeof peer === "string" ? peer : { id: peer.id, name: peer.label, address: peer.address };
  }

  /** Whether the mesh still knows an entry. */
  knows(client: MeshClient, id: string): boolean {
    return client === "tailscale" ? this.tailnet.devices.has(id) : this.netbird.peers.has(id);
  }

  /** A host is gone, or logs out: its entry stays, and is not connected. */
  leave(client: MeshClient, id: string): void {
    const [device, peer] = [this.tailnet.devices.get(id), this.netbird.peers.get(id)];
    if (client === "tailscale" && device !== undefined) this.tailnet.leave(device);
    if (client === "netbird" && peer !== undefined) this.netbird.leave(peer);
  }

  /** Everything that the control servers hold, in words: after a region is gone the same as before it came. */
  inventory(): string[] {
    const { tailnet, netbird } = this;
    return [
      ...[...tailnet.devices.values()].map(({ name }) => `tailnet device ${name}`),
      ...[...tailnet.keys.values()].map(({ description }) => `tailnet key ${description}`),
      ...[...netbird.peers.values()].map(({ label }) => `netbird peer ${label}`),
      ...[...netbird.keys.values()].map(({ name }) => `netbird key ${name}`),
      ...[...netbird.groups.values()].map(({ name }) => `netbird group ${name}`),
      ...[...netbird.objects.keys()].map((path) => `netbird ${path}`),
      tailnet.policy,
    ];
  }
}
