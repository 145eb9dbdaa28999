import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { LoginKey } from "../components/bootstrap/login-key.ts";
import { Cluster } from "../components/k3s/cluster.ts";
import { cniVariantOf } from "../components/k3s/cni-variant.ts";
import type { Machine } from "../components/machine.ts";
import type { MeshCredentials } from "../components/mesh/mesh-settings.ts";
import { apiUrl } from "../components/network/api-url.ts";
import { clusterDns } from "../components/network/cluster-dns.ts";
import type { ClearPendingRelease } from "../components/platform/pending-lock.ts";
import { Platform, type WantedRelease } from "../components/platform/platform.ts";
import { regionCosts } from "./costs.ts";
import { DEPLOYED_SCHEMA, type Deployed } from "./deployed.ts";
import { podNetwork } from "./pod-network.ts";
import { preparation } from "./prepare-host.ts";
import { regionMesh } from "./region-mesh.ts";
import type { CertManagerSettings, RegionSettings } from "./region-settings.ts";
import { present } from "../components/present.ts";
import { declareSites } from "./sites/declare-sites.ts";
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
  readonly clearPendingRelease: ClearPendingRelease;
}

/** What a region yields. */
export interface Region {
  /**
   * What runs, once it does: resolves after every membership and release. A stack's outputs are saved when an update
   * fails too, and a record of what was only wanted would mislead the next run's guardrails.
   */
  readonly deployed: pulumi.Output<Deployed>;
  /** Where the API is reached. */
  readonly endpoints: { readonly kubernetes: pulumi.Output<string> };
}

/** Declares a region: mesh → sites → cluster → platform. Reads from top to bottom like the graph it makes. */
export function declareRegion(args: RegionArgs): Region {
  const { settings, deployed, versions, login, clearPendingRelease } = args;
  const { region, plan } = settings;
  const mesh = regionMesh(settings, login, args.meshCredentials);
  const machines = declareSites(settings.sites, {
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
  });
  const provider = new kubernetes.Provider(
    `${region}-kubernetes`,
    // Without a fixed identifier a new endpoint or a renewed certificate replaces everything in the cluster:
    // https://github.com/pulumi/pulumi-kubernetes/issues/2745
    { kubeconfig: cluster.kubeconfig, clusterIdentifier: region },
    { dependsOn: [...cluster.memberships], deletedWith: cluster.anchor },
  );
  const releases = wantedReleases(settings, versions);
  const platform = new Platform(region, {
    releases,
    provider,
    topology: {
      region,
      servers: machines.filter(({ spec }) => spec.role === "server").length,
      agents: machines.filter(({ spec }) => spec.role === "agent").length,
    },
    contacts: cluster.contacts,
    connectSeconds: settings.kubernetes.connectSeconds,
    privateKey: login.privateKey,
    kubeconfig: cluster.kubeconfig,
    serverAuthority: cluster.serverAuthority,
    anchor: cluster.anchor,
    memberships: cluster.memberships,
    clearPendingRelease,
  });
  return {
    deployed: pulumi
      .all([...cluster.memberships, ...platform.releases].map(({ urn }) => urn))
      .apply(() => recordOf(settings, machines, cluster, releases)),
    endpoints: { kubernetes: cluster.endpoint.apply(apiUrl) },
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

function wantedReleases({ platform, encrypted }: RegionSettings, versions: Versions): WantedRelease[] {
  return (Object.entries(platform) as [string, CertManagerSettings][]).map(([name, release]) => {
    const chart = versions.releases[name];
    if (chart === undefined) {
      throw new pulumi.RunError(
        `versions.yaml: found no releases.${name} · allowed: an entry for every release in use · fix: restore versions.yaml`,
      );
    }
    const { values, ...settings } = release;
    return { name, settings, userValues: values, secretValues: encrypted.includes("platform"), chart };
  });
}

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
      releases: Object.fromEntries(releases.map(({ name, chart }) => [name, chart.version])),
    },
    cni: cniVariantOf(settings.kubernetes),
    mesh: settings.mesh.provider,
    ranges: rangesOf(settings.plan),
    nodes: nodeRecords,
    contacts: contactRecords.map((contact) => ({ ...contact })),
    costs: regionCosts(settings),
  }));
}
