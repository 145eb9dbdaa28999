import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ExistingSite } from "../components/existing/site.ts";
import { Cluster } from "../components/k3s/cluster.ts";
import type { Machine } from "../components/machine.ts";
import { clusterDns } from "../components/network/cluster-dns.ts";
import type { ClearPendingRelease } from "../components/platform/pending-lock.ts";
import { Platform, type WantedRelease } from "../components/platform/platform.ts";
import { DEPLOYED_SCHEMA, type Deployed } from "./deployed.ts";
import type { CertManagerSettings, RegionSettings, SiteSettings } from "./region-settings.ts";
import { UNPINNED, type Versions } from "./versions.ts";

/** What a region is declared from. */
export interface RegionArgs {
  readonly settings: RegionSettings;
  /** What the last successful run left. @default none */
  readonly deployed?: Deployed;
  readonly versions: Versions;
  readonly sshPrivateKey: pulumi.Output<string>;
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
  readonly endpoints: { readonly kubernetes: string };
}

/** Declares a region: sites → cluster → platform. Reads from top to bottom like the graph it makes. */
export function declareRegion({
  settings,
  deployed,
  versions,
  sshPrivateKey,
  clearPendingRelease,
}: RegionArgs): Region {
  const { region, plan } = settings;
  const machines = settings.sites.flatMap((site) => declareSite(site, settings, sshPrivateKey));
  const cluster = new Cluster(region, {
    plan: {
      region,
      kubernetes: settings.kubernetes,
      secretConfig: settings.encrypted.includes("kubernetes"),
      ...rangesOf(plan),
      clusterDns: clusterDns(plan.services),
    },
    machines,
    digests: versions.k3s[settings.kubernetes.version] ?? UNPINNED,
    privateKey: sshPrivateKey,
    ...(deployed === undefined ? {} : { earlierContacts: deployed.contacts }),
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
    privateKey: sshPrivateKey,
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
    endpoints: { kubernetes: `https://${cluster.endpoint}:6443` },
  };
}

const rangesOf = ({ pods, services }: { pods: string; services: string }) => ({ pods, services });

function declareSite(
  site: SiteSettings,
  settings: RegionSettings,
  privateKey: pulumi.Output<string>,
): readonly Machine[] {
  const { machines } = new ExistingSite(`${settings.region}-${site.name}`, {
    region: settings.region,
    hosts: site.machines.map(({ address, ssh, ...spec }) => ({ spec, address, ssh })),
    privateKey,
    connectSeconds: settings.kubernetes.connectSeconds,
  });
  return machines;
}

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

function recordOf(
  settings: RegionSettings,
  machines: readonly Machine[],
  cluster: Cluster,
  releases: readonly WantedRelease[],
): Deployed {
  return {
    schema: DEPLOYED_SCHEMA,
    region: settings.region,
    versions: {
      kubernetes: settings.kubernetes.version,
      releases: Object.fromEntries(releases.map(({ name, chart }) => [name, chart.version])),
    },
    ranges: rangesOf(settings.plan),
    nodes: machines.map(({ spec: { name, role, site, pool, generation }, address }) => ({
      name,
      role,
      site,
      pool,
      generation,
      address,
    })),
    contacts: cluster.contacts.map((contact) => ({ ...contact })),
  };
}
