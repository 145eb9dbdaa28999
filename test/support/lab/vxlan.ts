import type { MeshLab } from "./mesh.ts";

const DEVICE = "vx0";

/** What a VXLAN adds to a packet over IPv4. Bytes. */
const OVERHEAD = 50;
/** IPv4 and ICMP headers: what a ping of a size adds to it. Bytes. */
const PING_HEADERS = 28;

/** A pod network by hand, as flannel makes one: each node's own interface, static entries for all others. */
export class Vxlan {
  readonly #mesh: MeshLab;
  readonly #nodes: readonly string[];

  constructor(mesh: MeshLab, nodes: readonly string[]) {
    this.#mesh = mesh;
    this.#nodes = nodes;
  }

  /** A node's address in the pod network. */
  address(node: string): string {
    return `10.99.0.${this.#nodes.indexOf(node) + 1}`;
  }

  /** Makes the interface of one node. */
  async make(node: string, mtu: number): Promise<void> {
    const mac = (index: number): string => `02:00:00:00:99:0${index + 1}`;
    const own = this.#mesh.lab.host(node).address;
    const peers = this.#nodes.flatMap((name, index) => {
      if (name === node) return [];
      const { address } = this.#mesh.lab.host(name);
      return [
        `bridge fdb append ${mac(index)} dev ${DEVICE} dst ${address}`,
        `ip neigh replace ${this.address(name)} lladdr ${mac(index)} dev ${DEVICE} nud permanent`,
      ];
    });
    const program = [
      "set -e",
      `ip link del ${DEVICE} 2>/dev/null || true`,
      `ip link add ${DEVICE} address ${mac(this.#nodes.indexOf(node))} mtu ${mtu} type vxlan id 1 local ${own} dev eth0 dstport 8472 nolearning`,
      `ip addr add ${this.address(node)}/24 dev ${DEVICE}`,
      `ip link set ${DEVICE} up`,
      ...peers,
    ];
    await this.#mesh.on(node, program.join("\n"));
  }

  /** Sets the MTU of the interface of every node. */
  async setMtu(mtu: number): Promise<void> {
    const command = `ip link set ${DEVICE} mtu ${mtu}; ip route flush cache`;
    await Promise.all(this.#nodes.map((node) => this.#mesh.on(node, command)));
  }

  /** Whether a packet of this size passes from node to node, whole or not at all. The first ones may teach the sender. */
  passes(from: string, to: string, size: number): Promise<boolean> {
    return this.#mesh.works(from, `ping -n -q -M do -c 2 -i 0.3 -W 2 -s ${size - PING_HEADERS} ${this.address(to)}`);
  }

  /**
   * The largest packet that passes between two nodes, found by what the kernel learns of the way: the interface itself
   * must allow more.
   */
  async edge(from: string, to: string): Promise<number> {
    const largest = 1500 - OVERHEAD;
    await this.passes(from, to, largest);
    const route = await this.#mesh.on(from, `ip -4 route get ${this.address(to)}`);
    return Number(/ mtu (?<mtu>\d+)/.exec(route)?.groups?.["mtu"] ?? largest);
  }

  /** Mean time there and back, in ms. */
  async latency(from: string, to: string): Promise<number> {
    const said = await this.#mesh.on(from, `ping -n -q -c 20 -i 0.05 ${this.address(to)}`);
    return Number(/ = [\d.]+\/(?<mean>[\d.]+)\//.exec(said)!.groups!["mean"]);
  }

  /** Bytes that one connection carries in a second. */
  async throughput(from: string, to: string, seconds = 4): Promise<number> {
    const listen = `timeout ${seconds + 15} socat -u TCP-LISTEN:5201,reuseaddr - | wc -c`;
    const receiver = this.#mesh.on(to, listen, seconds + 30);
    const sender = `sleep 0.5; timeout ${seconds} socat -u OPEN:/dev/zero TCP:${this.address(to)}:5201 || true`;
    await this.#mesh.on(from, sender, seconds + 30);
    return Number(await receiver) / seconds;
  }
}
