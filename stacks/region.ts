import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { LoginKey } from "../components/bootstrap/login-key.ts";
import { Cluster } from "../components/k3s/cluster.ts";
import { cniVariantOf } from "../components/k3s/cni-variant.ts";
import type { Machine } from "../components/machine.ts";
import type { MeshCredentials } from "../components/mesh/mesh-settings.ts";
import { apiUrl } from "../components/network/api-url.ts";
import { clusterDns } from "../components/network/cluster-dns.ts";
import type { ReleaseAid } from "../components/platform/release-aid.ts";
import type { WantedRelease } from "../components/platform/helm-release.ts";
import { Platform } from "../components/platform/platform.ts";
import { regionCosts } from "./costs.ts";
import { DEPLOYED_SCHEMA, type Deployed } from "./deployed.ts";
import { lastingOf } from "./lasting.ts";
import { kernelSettings } from "./kernel-settings.ts";
import { podNetwork } from "./pod-network.ts";
import { preparation } from "./prepare-host.ts";
import { regionMesh } from "./region-mesh.ts";
import type { RegionSettings } from "./region-settings.ts";
import { present } from "../components/present.ts";
import { declareSites } from "./sites/declare-sites.ts";
import { topologyOf } from "./topology.ts";
import { UNPINNED, type Versions } from "./versions.ts";

/** What a region is declared from. */
export interface RegionArgs {
  readonly settings: RegionSettings;
  /** What the last successful run left. @default none */
  readonly deployed?: Deployed;
  readonly versions: Versions;
  /** The key that all machines take. */
  readonly login: LoginKey;
  /** What this computer shows to the mesh's control server. */
  readonly meshCredentials: MeshCredentials;
  /** What runs in the cluster, each after what it needs. */
  readonly releases: readonly WantedRelease[];
  readonly releaseAid: ReleaseAid;
}

/** What a region yields. */
export interface Region {
  /**
   * What runs, once it does: resolves after every membership and release. A stack's outputs are saved when an update
   * fails too, and a record of what was only wanted would mislead the next run's guardrails.
   */
  readonly deployed: pulumi.Output<Deployed>;
  /** Where the API is reached, and the public addresses of load balancers by site: what DNS names of pages lead to. */
  readonly endpoints: {
    readonly kubernetes: pulumi.Output<string>;
    readonly ingress: Readonly<Record<string, pulumi.Output<string>>>;
  };
  /** Public halves of keys that the stack made, to be given to whom they are for, by `<release>/<secret>/<key>`. */
  readonly publicKeys: Readonly<Record<string, pulumi.Output<string>>>;
}

/** Declares a region: mesh → sites → cluster → platform. Reads from top to bottom like the graph it makes. */
export function declareRegion(args: RegionArgs): Region {
  const { settings, deployed, versions, login, releases, releaseAid } = args;
  const { region, plan } = settings;
  const mesh = regionMesh(settings, login, args.meshCredentials);
  const { machines, ingress } = declareSites(settings.sites, {
    region,
    login,
    connectSeconds: settings.kubernetes.connectSeconds,
    drainSeconds: settings.kubernetes.drainSeconds,
    contacts: deployed?.contacts ?? [],
    shapes: byNode(deployed, ({ shape }) => shape),
    placementGroups: byNode(deployed, ({ placementGroup }) => placementGroup),
    ...(mesh === undefined ? {} : { mesh }),
  });
  const cluster = new Cluster(region, {
    plan: {
      region,
      kubernetes: settings.kubernetes,
      secretConfig: settings.encrypted.includes("kubernetes"),
      ...rangesOf(plan),
      clusterDns: clusterDns(plan.services),
      ...podNetwork(settings, versions),
    },
    machines,
    digests: versions.k3s[settings.kubernetes.version] ?? UNPINNED,
    privateKey: login.privateKey,
    ...(deployed === undefined ? {} : { earlierContacts: deployed.contacts }),
    ...preparation(present({ settings, login, mesh })),
    kernel: kernelSettings(settings),
  });
  const provider = new kubernetes.Provider(
    `${region}-kubernetes`,
    // Without a fixed identifier a new endpoint or a renewed certificate replaces everything in the cluster:
    // https://github.com/pulumi/pulumi-kubernetes/issues/2745
    { kubeconfig: cluster.kubeconfig, clusterIdentifier: region },
    { dependsOn: [...cluster.memberships], deletedWith: cluster.anchor },
  );
  const platform = new Platform(region, {
    releases,
    provider,
    topology: topologyOf(settings),
    contacts: cluster.contacts,
    connectSeconds: settings.kubernetes.connectSeconds,
    privateKey: login.privateKey,
    kubeconfig: cluster.kubeconfig,
    serverAuthority: cluster.serverAuthority,
    anchor: cluster.anchor,
    memberships: cluster.memberships,
    releaseAid,
  });
  return {
    deployed: pulumi
      .all([...cluster.memberships, ...platform.resources].map(({ urn }) => urn))
      .apply(() => recordOf(settings, machines, cluster, releases)),
    endpoints: { kubernetes: cluster.endpoint.apply(apiUrl), ingress },
    publicKeys: platform.publicKeys,
  };
}

/** Something that the last successful run left of its nodes, by name; nodes that have none are left out. */
const byNode = <Value>(
  deployed: Deployed | undefined,
  of: (node: Deployed["nodes"][number]) => Value | undefined,
): Record<string, Value> =>
  Object.fromEntries(
    (deployed?.nodes ?? []).flatMap((node) => {
      const value = of(node);
      return value === undefined ? [] : [[node.name, value]];
    }),
  );

const rangesOf = ({ pods, services }: { pods: string; services: string }) => ({ pods, services });

const nodeRecord = (
  { spec, address, shape, placementGroup }: Machine,
  { sites }: RegionSettings,
): pulumi.Output<Deployed["nodes"][number]> =>
  address.apply((known) => ({
    name: spec.name,
    role: spec.role,
    site: spec.site,
    pool: spec.pool,
    generation: spec.generation,
    address: known,
    ...present({ provider: sites.find(({ name }) => name === spec.site)?.provider, shape, placementGroup }),
  }));

function recordOf(
  settings: RegionSettings,
  machines: readonly Machine[],
  cluster: Cluster,
  releases: readonly WantedRelease[],
): pulumi.Output<Deployed> {
  const nodes = pulumi.all(machines.map((machine) => nodeRecord(machine, settings)));
  const contacts = pulumi.all(cluster.contacts.map((contact) => pulumi.output(contact)));
  return pulumi.all([nodes, contacts]).apply(([nodeRecords, contactRecords]): Deployed => ({
    schema: DEPLOYED_SCHEMA,
    region: settings.region,
    versions: {
      kubernetes: settings.kubernetes.version,
      ...present({ cilium: settings.kubernetes.cilium?.version }),
      releases: Object.fromEntries(
        releases.flatMap(({ definition, chart }) => (chart === undefined ? [] : [[definition.name, chart.version]])),
      ),
    },
    cni: cniVariantOf(settings.kubernetes),
    mesh: settings.mesh.provider,
    ranges: rangesOf(settings.plan),
    sites: Object.fromEntries(settings.sites.map(({ name, lan, nodeAddresses }) => [name, { lan, nodeAddresses }])),
    nodes: nodeRecords,
    contacts: contactRecords.map((contact) => ({ ...contact })),
    lasting: { ...lastingOf(settings) },
    costs: regionCosts(settings),
  }));
}
