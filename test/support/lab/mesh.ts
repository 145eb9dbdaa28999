import { remoteCommandText, shellQuote } from "../../../components/host/command-text.ts";
import { programBody } from "../../../components/host/script-program.ts";
import { MESH_SCRIPTS } from "../../../components/mesh/scripts.ts";
import { Headscale, type Policy } from "./headscale.ts";
import { createLab, type Lab, type LabPlan } from "./lab.ts";
import { publishPackages } from "./mesh-packages.ts";
import { CLIENT_VERSIONS, meshTools } from "./mesh-tools.ts";
import { succeeded } from "./region.ts";
import { eventually, type Finished } from "./run.ts";
import { runOnHost } from "./scripts.ts";

/** Two sites with nothing but UDP between them, and a place of the internet where headscale runs. */
export const MESH_PLAN = {
  sites: {
    tokyo: { lan: "10.214.1.0/24" },
    home: { lan: "10.214.2.0/24" },
    internet: { lan: "10.214.3.0/24", open: true },
  },
  hosts: [
    { name: "server-a", site: "tokyo", address: "10.214.1.11" },
    { name: "server-b", site: "tokyo", address: "10.214.1.12" },
    { name: "agent-a", site: "tokyo", address: "10.214.1.21" },
    { name: "agent-b", site: "home", address: "10.214.2.21" },
    { name: "agent-c", site: "home", address: "10.214.2.22" },
    { name: "control", site: "internet", address: "10.214.3.11" },
  ],
} as const satisfies LabPlan;

/** The hosts that are nodes. */
export const NODES = ["server-a", "server-b", "agent-a", "agent-b", "agent-c"] as const;
/** One of them. */
export type Node = (typeof NODES)[number];

/** The tag of every node. */
export const TAG = "tag:k3s-lab";

/** A policy as hybrid-k3s writes it: the nodes' tag, their routes approved for these LANs, nodes to each other. */
export function meshPolicy(lans: readonly string[]): Policy {
  return {
    tagOwners: { [TAG]: ["ops@"] },
    autoApprovers: { routes: Object.fromEntries(lans.map((lan) => [lan, [TAG]])) },
    grants: [{ src: [TAG, ...lans], dst: [TAG, ...lans], ip: ["*"] }],
  };
}

/** The LANs of the sites that nodes stand in. */
export const LANS = [MESH_PLAN.sites.tokyo.lan, MESH_PLAN.sites.home.lan] as const;

const LIMITS = { timeoutSeconds: 300, lockSeconds: 60 };

/** How a node sees another. */
export interface PeerPath {
  /** Whether packets go straight to it; else a relay carries them. */
  readonly direct: boolean;
  readonly online: boolean;
}

interface StatusJson {
  readonly Version: string;
  readonly BackendState: string;
  readonly TailscaleIPs: readonly string[];
  readonly Peer?: Readonly<Record<string, { HostName: string; CurAddr: string; Relay: string; Online: boolean }>>;
}

/** A lab with a mesh: hosts, headscale, and the client's packages on the mirror. */
export class MeshLab {
  readonly lab: Lab;
  readonly headscale: Headscale;
  /** `PACKAGES` of the scripts. */
  readonly packages: string;

  private constructor(lab: Lab, headscale: Headscale, packages: string) {
    this.lab = lab;
    this.headscale = headscale;
    this.packages = packages;
  }

  /** Boots it all. Only UDP passes between the sites from then on. */
  static async create(): Promise<MeshLab> {
    const tools = await meshTools();
    const lab = await createLab(MESH_PLAN);
    try {
      const packages = publishPackages(tools.packages, lab.mirror);
      const headscale = await Headscale.start(lab, "control", { binary: tools.headscale, policy: meshPolicy(LANS) });
      lab.internet("udp");
      return new MeshLab(lab, headscale, packages);
    } catch (error) {
      lab.close();
      throw error;
    }
  }

  /** The LAN of a host's site. */
  lan(name: string): string {
    const { site } = this.lab.host(name);
    return MESH_PLAN.sites[site as keyof typeof MESH_PLAN.sites].lan;
  }

  /** Runs the join on a host. */
  join(name: string, key: string, more: Readonly<Record<string, string>> = {}): Promise<Finished> {
    const parameters = {
      NODE_NAME: name,
      VERSION: CLIENT_VERSIONS.first,
      PACKAGES: this.packages,
      LOGIN_SERVER: this.headscale.url,
      PORT: "41641",
      ...more,
    };
    return runOnHost(this.lab, name, {
      script: MESH_SCRIPTS.tailscaleJoin,
      action: "join",
      parameters,
      secrets: { JOIN_KEY: key },
    });
  }

  /** Brings a host in and makes it a node. @throws Error with what a script said */
  async enter(name: string): Promise<void> {
    succeeded(await this.join(name, await this.headscale.createKey(TAG)));
    succeeded(await this.node(name, "converge"));
  }

  /** Runs what keeps a node's client right on a host, or what takes it off. */
  node(name: string, action: "converge" | "remove", more: Readonly<Record<string, string>> = {}): Promise<Finished> {
    return runOnHost(this.lab, name, this.#nodeRun(name, action, more));
  }

  #nodeRun(name: string, action: string, more: Readonly<Record<string, string>>) {
    const parameters = {
      NODE_NAME: name,
      VERSION: CLIENT_VERSIONS.first,
      PACKAGES: this.packages,
      PORT: "41641",
      ADDRESS: this.lab.host(name).address,
      LAN: this.lan(name),
      OTHER_LANS: LANS.filter((lan) => lan !== this.lan(name)).join(" "),
      NODE_ADDRESSES: "lan",
      SITE_RULE: "yes",
      RELAY: "no",
      RELAY_PORT: "",
      ...more,
    };
    const script = action === "remove" ? MESH_SCRIPTS.tailscaleJoin : MESH_SCRIPTS.tailscaleNode;
    return { script, action, parameters, limits: LIMITS };
  }

  /** Runs a node's removal over a connection that goes through the mesh, from a host that has the lab's key. */
  async removeThrough(from: string, to: string): Promise<Finished> {
    const { script, action, parameters, limits } = this.#nodeRun(to, "remove", {});
    const text = remoteCommandText({ script: script.name, action, parameters }, limits);
    const options = "-i /root/identity -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";
    const command = `ssh ${options} root@${this.lab.host(to).address} ${shellQuote(text)}`;
    return this.lab.exec(from, command, { input: programBody(script) });
  }

  /** What a command prints on a host. */
  async on(name: string, command: string, seconds = 60): Promise<string> {
    return (await this.lab.exec(name, command, { seconds })).stdout;
  }

  /** Whether a command succeeds on a host. */
  async works(name: string, command: string, seconds = 60): Promise<boolean> {
    return (await this.lab.exec(name, command, { seconds, mayFail: true })).code === 0;
  }

  /** Which interface a host sends to an address by. */
  async interfaceTo(name: string, address: string): Promise<string> {
    const route = await this.on(name, `ip -4 route get ${address}`);
    return / dev (?<name>\S+)/.exec(route)?.groups?.["name"] ?? route;
  }

  /** What Tailscale says on a host. */
  async status(name: string): Promise<StatusJson> {
    return JSON.parse(await this.on(name, "tailscale status --json")) as StatusJson;
  }

  /** How a node reaches another one. */
  async path(from: string, to: string): Promise<PeerPath> {
    const peers = Object.values((await this.status(from)).Peer ?? {});
    const peer = peers.find(({ HostName }) => HostName === to);
    if (peer === undefined) throw new Error(`${from} has no peer ${to}`);
    return { direct: peer.CurAddr !== "", online: peer.Online };
  }

  /** Waits until a node reaches an address by ping. */
  async reaches(from: string, address: string, seconds: number): Promise<void> {
    await eventually(`${from} to reach ${address}`, { seconds, every: 1 }, async () => {
      return (await this.works(from, `ping -n -q -c 1 -W 1 ${address}`)) || undefined;
    });
  }

  /** Packets that left a host by an interface, so far. */
  async sent(name: string, device = "tailscale0"): Promise<number> {
    const said = JSON.parse(await this.on(name, `ip -j -s link show ${device}`)) as {
      stats64: { tx: { packets: number } };
    }[];
    return said[0]!.stats64.tx.packets;
  }
}
