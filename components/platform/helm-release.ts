import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { mergeValues } from "../helm-values.ts";
import { scriptFile } from "../host/script-file.ts";
import { stationScript, type Contact } from "../host/station-script.ts";
import type { ChartPin, ReleaseDefinition } from "./definition.ts";
import { pendingLockHook, type ClearPendingRelease } from "./pending-lock.ts";
import type { Topology } from "./topology.ts";

const TYPE = "hybrid-k3s:platform:Release";

const crdScript = scriptFile(new URL("./scripts/crds.sh", import.meta.url));

/** How long a file of CRDs may take to be fetched and applied. Seconds. */
const CRD_SECONDS = 300;

/** What all releases of a region share. */
export interface PlatformSurroundings {
  readonly topology: Topology;
  /** Servers that work on the cluster is done from. */
  readonly contacts: readonly Contact[];
  readonly connectSeconds: number;
  readonly privateKey: pulumi.Input<string>;
  readonly kubeconfig: pulumi.Output<string>;
  /** Certificate of the authority that tells this cluster's servers from others. */
  readonly serverAuthority: pulumi.Input<string>;
  readonly provider: kubernetes.Provider;
  /** Goes when the cluster goes: nothing in it is deleted one by one then. */
  readonly anchor: pulumi.Resource;
  readonly memberships: readonly pulumi.Resource[];
  readonly clearPendingRelease: ClearPendingRelease;
}

/** Arguments of {@link HelmRelease}. */
export interface HelmReleaseArgs<Settings> extends PlatformSurroundings {
  readonly definition: ReleaseDefinition<Settings>;
  readonly settings: Settings;
  /** The user's own values, merged last. */
  readonly userValues: Readonly<Record<string, unknown>>;
  /** Whether they hold a secret: all values are one then. */
  readonly secretValues: boolean;
  readonly chart: ChartPin;
  /** Releases that come before this one. */
  readonly after: readonly pulumi.Resource[];
}

/** One Helm release: its CRDs, its namespace and its chart. */
export class HelmRelease<Settings> extends pulumi.ComponentResource {
  /** Exists when the chart's objects are ready. */
  readonly release: pulumi.Resource;

  constructor(name: string, args: HelmReleaseArgs<Settings>, options: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, options);
    const crds = this.applyCrds(name, args);
    const namespace = this.makeNamespace(name, args);
    this.release = this.installChart(name, args, [...crds, namespace]);
    this.registerOutputs({});
  }

  private applyCrds(name: string, args: HelmReleaseArgs<Settings>): pulumi.Resource[] {
    const { crds, version } = args.chart;
    if (crds === undefined) return [];
    const action = {
      action: "apply",
      parameters: { NAME: args.definition.name, VERSION: version, URL: crds.url, SHA256: crds.sha256 },
      contacts: args.contacts,
      connectSeconds: args.connectSeconds,
    };
    // No delete: with a CRD every object of its kind goes, in every namespace.
    const script = {
      script: crdScript,
      privateKey: args.privateKey,
      secrets: { SERVER_CA: args.serverAuthority },
      lock: `hybrid-k3s-crds-${args.definition.name}`,
      create: action,
      update: action,
      limitSeconds: CRD_SECONDS,
    };
    return [
      stationScript(`${name}-crds`, script, {
        parent: this,
        dependsOn: [...args.memberships],
        deletedWith: args.anchor,
      }),
    ];
  }

  private makeNamespace(name: string, args: HelmReleaseArgs<Settings>): kubernetes.core.v1.Namespace {
    const { namespace, podSecurity } = args.definition;
    return new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      { metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": podSecurity } } },
      {
        parent: this,
        provider: args.provider,
        dependsOn: [...args.memberships, ...args.after],
        deletedWith: args.anchor,
      },
    );
  }

  private installChart(
    name: string,
    args: HelmReleaseArgs<Settings>,
    after: readonly pulumi.Resource[],
  ): pulumi.Resource {
    const { definition, chart } = args;
    const values = mergeValues(definition.values(args.topology, args.settings), args.userValues);
    return new kubernetes.helm.v3.Release(
      name,
      {
        name: definition.name,
        namespace: definition.namespace,
        chart: chart.chart,
        version: chart.version,
        repositoryOpts: { repo: chart.repository },
        values: args.secretValues ? pulumi.secret(values) : values,
        timeout: definition.timeoutSeconds,
        // CRDs stand on their own; the chart's copy would be installed once and never upgraded.
        skipCrds: true,
      },
      {
        parent: this,
        provider: args.provider,
        dependsOn: [...after],
        // A Release has no way to be deleted while its cluster does not answer:
        // https://github.com/pulumi/pulumi-kubernetes/blob/v4.34.2/provider/pkg/provider/provider.go
        deletedWith: args.anchor,
        customTimeouts: { create: `${definition.timeoutSeconds + 60}s`, update: `${definition.timeoutSeconds + 60}s` },
        hooks: {
          onError: [pendingLockHook(`${name}-pending-lock`, definition, args.kubeconfig, args.clearPendingRelease)],
        },
      },
    );
  }
}
