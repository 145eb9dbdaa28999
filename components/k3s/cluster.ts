import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Machine, MachineSpec } from "../machine.ts";
import { present } from "../present.ts";
import { Authorities } from "./authorities.ts";
import { ciliumAddresses, type CiliumArgs, installCilium } from "./cilium.ts";
import type { ClusterPlan } from "./config.ts";
import { chooseContacts, contactOf, type ServerContact } from "./contacts.ts";
import { renderKubeconfig } from "./kubeconfig.ts";
import { K3sNode, type K3sDigests, type NodeSurroundings, type PrepareHost } from "./node.ts";

const TYPE = "hybrid-k3s:k3s:Cluster";

/** Arguments of {@link Cluster}. */
export interface ClusterArgs {
  readonly plan: ClusterPlan;
  /** Every machine of the region, in any order. */
  readonly machines: readonly Machine[];
  readonly digests: K3sDigests;
  /** SSH private key that all machines take. */
  readonly privateKey: pulumi.Input<string>;
  /** The servers that memberships went through in the last successful run. @default none: no run has completed */
  readonly earlierContacts?: readonly ServerContact[];
  /** What a node's turn brings to its host before k3s. @default nothing */
  readonly prepare?: PrepareHost;
  /** Kernel settings that a machine has for what is to run on it, as lines of sysctl.d. @default the hardening guide's alone */
  readonly kernel?: (spec: MachineSpec) => readonly string[];
}

/** The k3s servers and agents of a region, one after another, and what it takes to talk to their API. */
export class Cluster extends pulumi.ComponentResource {
  /** All memberships: what runs in the cluster comes after them. */
  readonly memberships: readonly pulumi.Resource[];
  /** Goes when the cluster goes. What only exists inside the cluster is `deletedWith` it. */
  readonly anchor: pulumi.Resource;
  /** Administrator's kubeconfig. Secret, and never a stack output: CI actions print outputs. */
  readonly kubeconfig: pulumi.Output<string>;
  /** Certificate of the authority that signs what servers answer with. */
  readonly serverAuthority: pulumi.Output<string>;
  /** Host name or address at which the API is reached. */
  readonly endpoint: pulumi.Output<string>;
  /** The servers that memberships go through; the next run starts from them. */
  readonly contacts: readonly ServerContact[];

  constructor(name: string, args: ClusterArgs, options?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, options);
    const machines = [...args.machines].sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1));
    const servers = machines.filter(({ spec }) => spec.role === "server");
    const agents = machines.filter(({ spec }) => spec.role === "agent");
    const serverContacts = servers.map(contactOf);
    this.contacts = chooseContacts(serverContacts, args.earlierContacts ?? []);
    this.endpoint = pulumi.output(args.plan.kubernetes.endpoint ?? firstStanding(this.contacts, servers));

    this.anchor = new random.RandomId(`${name}-anchor`, { byteLength: 8 }, { parent: this });
    const authorities = new Authorities(name, { parent: this });
    const surroundings: NodeSurroundings = {
      plan: args.plan,
      authorities,
      digests: args.digests,
      contacts: this.contacts,
      servers,
      clusterExists: args.earlierContacts !== undefined,
      privateKey: args.privateKey,
      anchor: this.anchor,
      ...present({ prepare: args.prepare, kernel: args.kernel }),
    };
    const cilium = args.plan.cilium && {
      plan: args.plan.cilium,
      nodes: machines.length,
      secret: args.plan.secretConfig,
      contacts: this.contacts,
      connectSeconds: args.plan.kubernetes.connectSeconds,
      privateKey: args.privateKey,
      serverAuthority: authorities.server.certificate,
    };
    const serverMemberships = this.inSequence(servers, surroundings, this.podNetwork(name, cilium));
    const agentMemberships = this.inLanes(agents, surroundings, serverMemberships);
    this.memberships = [...serverMemberships, ...agentMemberships];
    if (cilium !== undefined) {
      const options = { parent: this, dependsOn: [...this.memberships], deletedWith: this.anchor };
      ciliumAddresses(`${name}-addresses`, cilium, options);
    }
    this.serverAuthority = authorities.server.certificate;
    this.kubeconfig = this.describeAccess(name, authorities);
    this.registerOutputs({});
  }

  /** Servers one after another: etcd takes one new member at a time, and an upgrade keeps all but one running. */
  private inSequence(
    machines: readonly Machine[],
    surroundings: NodeSurroundings,
    podNetwork: ((k3s: pulumi.Resource) => pulumi.Resource[]) | undefined,
  ): pulumi.Resource[] {
    const memberships: pulumi.Resource[] = [];
    for (const machine of machines) {
      // After the k3s of the server that comes first now: an order, and no tie to that server.
      const first = memberships.length === 0 && podNetwork !== undefined ? { beforeMembership: podNetwork } : {};
      const node = new K3sNode(
        machine.spec.name,
        { ...surroundings, machine, after: memberships.slice(-1), ...first },
        { parent: this },
      );
      memberships.push(node.membership);
    }
    return memberships;
  }

  /** Makes the pod network, where it is not k3s's own. */
  private podNetwork(
    name: string,
    cilium: CiliumArgs | undefined,
  ): ((k3s: pulumi.Resource) => pulumi.Resource[]) | undefined {
    if (cilium === undefined) return undefined;
    return (k3s) => [
      installCilium(`${name}-cni`, cilium, { parent: this, dependsOn: [k3s], deletedWith: this.anchor }),
    ];
  }

  /** Agents after all servers, so many at a time. */
  private inLanes(
    machines: readonly Machine[],
    surroundings: NodeSurroundings,
    servers: readonly pulumi.Resource[],
  ): pulumi.Resource[] {
    const lanes = surroundings.plan.kubernetes.parallelism;
    const memberships: pulumi.Resource[] = [];
    for (const machine of machines) {
      const before = memberships.at(-lanes);
      const after = memberships.length < lanes || before === undefined ? servers : [...servers, before];
      const node = new K3sNode(machine.spec.name, { ...surroundings, machine, after }, { parent: this });
      memberships.push(node.membership);
    }
    return memberships;
  }

  private describeAccess(region: string, { server, admin }: Authorities): pulumi.Output<string> {
    const parts = pulumi.all([this.endpoint, server.certificate, admin.certificate, admin.key]);
    return pulumi.secret(
      parts.apply(([endpoint, serverAuthority, clientCertificate, clientKey]) =>
        renderKubeconfig({ region, endpoint, serverAuthority, clientCertificate, clientKey }),
      ),
    );
  }
}

/** Where the API of the first contact that still is a server answers, so that the endpoint stays while its server does. */
function firstStanding(contacts: readonly ServerContact[], servers: readonly Machine[]): pulumi.Input<string> {
  const standing = contacts.find((contact) => servers.some(({ spec }) => spec.name === contact.name));
  return (servers.find(({ spec }) => spec.name === standing?.name) ?? servers[0])?.apiAddress ?? "";
}
