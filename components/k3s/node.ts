import * as pulumi from "@pulumi/pulumi";
import { remoteScript } from "../host/remote-script.ts";
import { digest, scriptFile } from "../host/script-file.ts";
import type { ScriptSecrets } from "../host/script-program.ts";
import { stationScript } from "../host/station-script.ts";
import type { Machine, MachineSpec } from "../machine.ts";
import type { PreparedHost } from "../mesh/mesh.ts";
import type { Authorities } from "./authorities.ts";
import { labelLines, nodeLabels, renderConfig, renderRegistration, taintLines, type ClusterPlan } from "./config.ts";
import { contactsFor, type ServerContact } from "./contacts.ts";
import { hardeningFiles } from "./hardening.ts";
import { yamlText } from "../yaml-text.ts";

const TYPE = "hybrid-k3s:k3s:Node";

const nodeScript = scriptFile(new URL("./scripts/k3s-node.sh", import.meta.url));
const memberScript = scriptFile(new URL("./scripts/k3s-member.sh", import.meta.url));

/** Values of a script by upper-case name. */
type Parameters = Readonly<Record<string, pulumi.Input<string>>>;

/** How long k3s may take to come up on a host. Seconds. */
const START_SECONDS = 300;
/** How long an installation may take: download, start, and room for a slow disk. Seconds. */
const INSTALL_SECONDS = 1200;
/** How long a node that runs may take until it is Ready. Seconds. */
const READY_SECONDS = 300;
/** The same where the node waits for Cilium's image, which is several hundred MiB. Seconds. */
const READY_WITH_CILIUM_SECONDS = 600;

/** SHA-256 digests of one k3s release, from versions.yaml. Empty text: not recorded. */
export interface K3sDigests {
  readonly amd64: string;
  readonly arm64: string;
  readonly installer: string;
}

/** What all nodes of a cluster are made with. */
export interface NodeSurroundings {
  readonly plan: ClusterPlan;
  readonly authorities: Authorities;
  readonly digests: K3sDigests;
  /** The servers that memberships go through. */
  readonly contacts: readonly ServerContact[];
  /** All servers as the settings name them now, sorted by name. */
  readonly servers: readonly Machine[];
  /** Whether an earlier run completed: a cluster that exists is never started a second time. */
  readonly clusterExists: boolean;
  readonly privateKey: pulumi.Input<string>;
  /** Goes when the whole cluster goes: no membership is ended one by one then. */
  readonly anchor: pulumi.Resource;
  /** Kernel settings that a machine has for what is to run on it, as lines of sysctl.d. @default the hardening guide's alone */
  readonly kernel?: (spec: MachineSpec) => readonly string[];
  /** What a node's turn brings to its host before k3s: the mesh's client, the firewall. @default nothing */
  readonly prepare?: PrepareHost;
}

/** Declares what a node's turn brings to its host before k3s. */
export type PrepareHost = (machine: Machine, options: pulumi.CustomResourceOptions) => PreparedHost;

/** Arguments of {@link K3sNode}. */
export interface K3sNodeArgs extends NodeSurroundings {
  readonly machine: Machine;
  /** Memberships that come before this node: an order among updates, never an input. */
  readonly after: readonly pulumi.Resource[];
  /** Makes what must be there before the node can be Ready, once its k3s runs. @default nothing */
  readonly beforeMembership?: (k3s: pulumi.Resource) => readonly pulumi.Resource[];
}

/** k3s on one machine, and its membership in the cluster. */
export class K3sNode extends pulumi.ComponentResource {
  /** Created when the node is Ready; its end takes the node out of the cluster. */
  readonly membership: pulumi.Resource;

  constructor(name: string, args: K3sNodeArgs, options: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, options);
    const config = configOf(args);
    const shown: Parameters = args.plan.secretConfig ? { CONFIG_DIGEST: config.apply(digest) } : { CONFIG: config };
    const installed: Parameters = { ...installParameters(args), ...shown };
    const turn = [...args.after, ...args.machine.ready];
    const host = args.prepare?.(args.machine, { parent: this, dependsOn: turn });
    const k3s = this.install(name, args, installed, {
      hidden: args.plan.secretConfig ? { CONFIG: config } : {},
      after: [...turn, ...(host?.resources ?? [])],
    });
    const installation = pulumi
      .output({ ...installed, ...(host === undefined ? {} : { HOST: host.mark }) })
      .apply((values) => digest(JSON.stringify(values)));
    const before = [k3s, ...(args.beforeMembership?.(k3s) ?? [])];
    this.membership = this.join(name, args, before, installation);
    this.registerOutputs({});
  }

  private install(
    name: string,
    args: K3sNodeArgs,
    installed: Parameters,
    { hidden, after }: { readonly hidden: ScriptSecrets; readonly after: pulumi.Resource[] },
  ): pulumi.Resource {
    const { machine, plan } = args;
    const { role } = machine.spec;
    const always = {
      NODE_NAME: name,
      ROLE: role,
      START_SECONDS: String(START_SECONDS),
      ...installed,
    };
    return remoteScript(
      `${name}-k3s`,
      {
        script: nodeScript,
        target: machine.ssh,
        privateKey: args.privateKey,
        create: { action: "install", parameters: { ...always, ...firstStartParameters(name, args) } },
        update: { action: "converge", parameters: always },
        secrets: { ...nodeSecrets(args), ...hidden },
        triggers: [machine.id],
        connectSeconds: plan.kubernetes.connectSeconds,
        limitSeconds: INSTALL_SECONDS,
      },
      {
        parent: this,
        dependsOn: after,
        // What is installed inside the host goes with it.
        deletedWith: machine.resource,
        // `create` holds what only counts for a node that does not exist yet: which servers to ask, whether there is a
        // cluster. It may change with every other server without touching this one, and is new again when it is replaced.
        ignoreChanges: ["create"],
      },
    );
  }

  private join(
    name: string,
    args: K3sNodeArgs,
    before: readonly pulumi.Resource[],
    installation: pulumi.Output<string>,
  ): pulumi.Resource {
    const { machine, plan } = args;
    const { kubernetes } = plan;
    const readySeconds = plan.cilium === undefined ? READY_SECONDS : READY_WITH_CILIUM_SECONDS;
    const identity = { NODE_NAME: name, ROLE: machine.spec.role };
    const marks = {
      ...identity,
      VERSION: kubernetes.version,
      // With every change of what is installed the node is waited for again: the next server's turn comes only when
      // this one is Ready, runs the version and votes.
      INSTALLATION: installation,
      READY_SECONDS: String(readySeconds),
      LABELS: labelLines(nodeLabels(plan.region, machine.spec)),
      TAINTS: taintLines(machine.spec.taints),
      // What was taken off the node while its machine changed is given back.
      ...(machine.shape === undefined ? {} : { SHAPE: machine.shape }),
    };
    const reach = { contacts: contactsFor(name, args.contacts), connectSeconds: kubernetes.connectSeconds };
    const newNodeReach = { ...reach, contacts: args.contacts };
    return stationScript(
      `${name}-member`,
      {
        script: memberScript,
        privateKey: args.privateKey,
        create: { action: "join", parameters: marks, ...newNodeReach },
        update: { action: "converge", parameters: marks, ...newNodeReach },
        delete: {
          action: "leave",
          parameters: { ...identity, DRAIN_SECONDS: String(kubernetes.drainSeconds) },
          ...reach,
        },
        secrets: { SERVER_CA: args.authorities.server.certificate },
        lock: `hybrid-k3s-member-${name}`,
        triggers: [machine.id],
        limitSeconds: readySeconds + kubernetes.drainSeconds + 300,
      },
      { parent: this, dependsOn: [...before], deletedWith: args.anchor },
    );
  }
}

/** The node's config.yaml. */
const configOf = ({ plan, machine: { spec, address, apiAddress, meshAddress } }: K3sNodeArgs): pulumi.Output<string> =>
  pulumi.all([address, apiAddress, meshAddress]).apply(([inside, outside, mesh]) =>
    renderConfig(plan, {
      name: spec.name,
      role: spec.role,
      address: inside,
      apiAddresses: [outside, ...(mesh === undefined ? [] : [mesh])],
    }),
  );

/** What decides which k3s is installed, and the files beside its configuration. */
function installParameters({ plan, digests, machine, kernel }: K3sNodeArgs): Record<string, string> {
  const { kubernetes } = plan;
  const files = hardeningFiles(kubernetes.hardening, machine.spec.role);
  return {
    VERSION: kubernetes.version,
    MIRROR: kubernetes.mirror ?? "",
    SHA256_AMD64: digests.amd64,
    SHA256_ARM64: digests.arm64,
    SHA256_INSTALLER: digests.installer,
    AUDIT_POLICY: files.auditPolicy,
    ADMISSION: files.admission,
    SYSCTL: files.sysctl + (kernel?.(machine.spec) ?? []).map((line) => `${line}\n`).join(""),
    ...(plan.flannelConf === undefined ? {} : { FLANNEL_CONF: plan.flannelConf }),
  };
}

/** What only counts for a node that does not exist yet. */
function firstStartParameters(name: string, args: K3sNodeArgs): Parameters {
  const others = args.servers.filter(({ spec }) => spec.name !== name);
  return {
    CANDIDATES: pulumi.all(others.map(({ address }) => address)).apply((addresses) => addresses.join(" ")),
    CLUSTER_EXISTS: args.clusterExists ? "yes" : "no",
    // One server may start the cluster, so that two that cannot see each other never start two.
    MAY_INITIALISE: args.servers[0]?.spec.name === name ? "yes" : "no",
    REGISTRATION: renderRegistration(args.plan.region, args.machine.spec),
  };
}

function nodeSecrets({ machine: { spec }, authorities, plan }: K3sNodeArgs): Record<string, pulumi.Input<string>> {
  const { registries } = plan.kubernetes;
  const joining = {
    SERVER_CA: authorities.server.certificate,
    AGENT_TOKEN: authorities.agentPassword,
    // May hold a registry's password.
    REGISTRIES: registries === undefined ? "" : yamlText(registries),
  };
  if (spec.role === "agent") return { ...joining, TOKEN: authorities.agentToken };
  return {
    ...joining,
    TOKEN: authorities.serverToken,
    SERVER_CA_KEY: authorities.server.key,
    CLIENT_CA: authorities.client.certificate,
    CLIENT_CA_KEY: authorities.client.key,
  };
}
