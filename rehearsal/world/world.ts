import { Cloud } from "./cloud.ts";
import { Cluster } from "./cluster.ts";
import { Faults } from "./faults.ts";
import { LimaHosts } from "./lima-hosts.ts";
import { newHost, type Host } from "./host.ts";
import { MeshNetworks } from "./mesh-networks.ts";

/** Something that happened in the world, in order. */
export interface WorldEvent {
  readonly sequence: number;
  readonly kind: "begin" | "end" | "change";
  /** The resource that it was done for. */
  readonly resource: string;
  /** The host that it happened on; empty for the Kubernetes API. */
  readonly host: string;
  readonly script: string;
  readonly action: string;
  /** The node that it is about; empty where there is none. */
  readonly node: string;
  /** What changed, or how it ended. */
  readonly text: string;
  /** Simulated seconds since the step began. */
  readonly seconds: number;
  /** Every cluster right after: how many members etcd has, how many of them run, and whether the API answers. */
  readonly clusters: readonly { region: string; members: number; live: number; apiUp: boolean }[];
}

/** Where an sshd answers. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** An endpoint as text, by which the world knows its hosts. */
export const endpointOf = (host: string, port: number, through?: Endpoint): string =>
  `${through === undefined ? "" : `${through.host}:${through.port}>`}${host}:${port}`;

/** What happens outside Pulumi: hosts, clusters, and a record of everything that was done to them. */
export class World {
  /** By endpoint. */
  readonly hosts = new Map<string, Host>();
  readonly clusters: Cluster[] = [];
  readonly events: WorldEvent[] = [];
  readonly faults = new Faults();
  readonly cloud = new Cloud();
  readonly lima = new LimaHosts();
  readonly mesh = new MeshNetworks();
  /** Simulated seconds that each resource's last step took, by logical name. */
  readonly durations = new Map<string, number>();

  /** Puts a host into the world, unless one answers at that endpoint already. */
  addHost(given: Parameters<typeof newHost>[0]): Host {
    const existing = this.hosts.get(given.endpoint);
    if (existing !== undefined) return existing;
    const host = newHost(given);
    this.hosts.set(host.endpoint, host);
    return host;
  }

  /**
   * The host that answers at a host and port, seen through a jump host where there is one. A host behind a machine of
   * the region may stand under that machine's name, for its address is known only once it is made. This computer is in
   * every mesh of the world.
   */
  at(host: string, port: number, through?: Endpoint): Host | undefined {
    const direct = this.hosts.get(endpointOf(host, port, through));
    if (direct !== undefined) return direct;
    if (through === undefined) return port === 22 ? this.#inMesh(host) : undefined;
    const jump = this.hosts.get(endpointOf(through.host, through.port));
    return jump && this.hosts.get(endpointOf(host, port, { host: jump.name, port: 0 }));
  }

  /** Takes a host out: it is gone, with all that was on it. */
  removeHost(host: Host): void {
    host.alive = false;
    if (host.mesh !== undefined) this.mesh.leave(host.mesh.client, host.mesh.entry.id);
    this.hosts.delete(host.endpoint);
  }

  /** Whether an address is a host's in its mesh: no firewall outside the host stands before it then. */
  isInMesh({ mesh }: Host, address: string): boolean {
    return mesh?.entry.address === address && this.mesh.knows(mesh.client, mesh.entry.id);
  }

  #inMesh(address: string): Host | undefined {
    return [...this.hosts.values()].find((host) => this.isInMesh(host, address));
  }

  /** A host answers at another endpoint from now on. */
  moveHost(host: Host, endpoint: string): void {
    this.hosts.delete(host.endpoint);
    host.endpoint = endpoint;
    this.hosts.set(endpoint, host);
  }

  /** The host of this name. @throws Error that lists the names there are */
  host(name: string): Host {
    const found = [...this.hosts.values()].find((host) => host.name === name);
    if (found !== undefined) return found;
    throw new Error(
      `the world has no host ${name}; it has ${[...this.hosts.values()].map((host) => host.name).join(", ")}`,
    );
  }

  /** The host that has this private address in a network. */
  hostAt(network: string, address: string): Host | undefined {
    return [...this.hosts.values()].find((host) => host.network === network && host.address === address);
  }

  /** Starts a cluster: the first server of a region has come up. */
  addCluster(region: string, ca: string, secrets: Cluster["secrets"]): Cluster {
    const cluster = new Cluster(region, ca, secrets);
    this.clusters.push(cluster);
    return cluster;
  }

  /** The youngest cluster of a region. */
  cluster(region: string): Cluster | undefined {
    return this.clusters.findLast((cluster) => cluster.region === region);
  }

  /** Writes an event down. */
  record(event: Omit<WorldEvent, "sequence" | "clusters">): void {
    const clusters = this.clusters.map((cluster) => ({
      region: cluster.region,
      members: cluster.members.size,
      live: cluster.live().length,
      apiUp: cluster.apiUp(),
    }));
    this.events.push({ ...event, sequence: this.events.length, clusters });
  }
}
