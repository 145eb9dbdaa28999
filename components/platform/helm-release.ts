import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { mergeValues } from "../helm-values.ts";
import { scriptFile } from "../host/script-file.ts";
import { stationScript, type Contact } from "../host/station-script.ts";
import type { ChartPin } from "./chart-pin.ts";
import { manifestObject, secretManifest } from "./manifest-object.ts";
import { recoveryHooks } from "./recovery-hooks.ts";
import type { ReleaseAid } from "./release-aid.ts";
import type { ReleaseDefinition, Values } from "./release.ts";
import { releaseSecret, revisionOf } from "./release-secrets.ts";
import type { Topology } from "./topology.ts";

const TYPE = "hybrid-k3s:platform:Release";

const crdScript = scriptFile(new URL("./scripts/crds.sh", import.meta.url));

/** How long a release's CRDs may take to be fetched and applied. Seconds. */
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
  readonly releaseAid: ReleaseAid;
}

/** One release that a region wants. */
export interface WantedRelease {
  readonly definition: ReleaseDefinition;
  /** The release's own settings, parsed. */
  readonly settings: unknown;
  /** The user's own Helm values, merged last. */
  readonly userValues: Readonly<Record<string, unknown>>;
  /** Whether the settings hold a secret: all values and objects are one then. */
  readonly secret: boolean;
  /** @default the release has no chart */
  readonly chart?: ChartPin;
}

/** Arguments of {@link HelmRelease}. */
export interface HelmReleaseArgs extends PlatformSurroundings, WantedRelease {
  /** Releases that come before this one. */
  readonly after: readonly pulumi.Resource[];
}

/** One release: its namespace, its CRDs, its Secrets, its chart, and the objects that follow the chart. */
export class HelmRelease extends pulumi.ComponentResource {
  /** Each exists when what the release consists of is ready. */
  readonly resources: readonly pulumi.Resource[];
  /** Public halves of the keys that the stack made for it, by `<secret>/<key>`. */
  readonly publicKeys: Readonly<Record<string, pulumi.Output<string>>>;
  private readonly args: HelmReleaseArgs;
  private readonly name: string;

  constructor(name: string, args: HelmReleaseArgs, options: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, options);
    this.name = name;
    this.args = args;
    const before = [...args.memberships, ...args.after];
    const namespace = this.makeNamespace(before);
    const crds = this.applyCrds();
    const secrets = this.makeSecrets(namespace.length > 0 ? namespace : before);
    const chart = this.installChart([...before, ...crds, ...namespace, ...secrets.resources], secrets.values);
    const objects = this.makeObjects([...before, ...crds, ...namespace, ...secrets.resources, ...chart]);
    this.publicKeys = secrets.publicKeys;
    this.resources = [...secrets.resources, ...chart, ...objects];
    this.registerOutputs({});
  }

  private inCluster(dependsOn: readonly pulumi.Resource[]) {
    const { provider, anchor } = this.args;
    return { parent: this, provider, dependsOn: [...dependsOn], deletedWith: anchor };
  }

  private applyCrds(): pulumi.Resource[] {
    const { chart, definition } = this.args;
    if (chart === undefined || chart.crds.length === 0) return [];
    const files = chart.crds.map(({ url, sha256 }) => `${sha256 === "" ? "-" : sha256} ${url}`).join("\n");
    const action = {
      action: "apply",
      parameters: { NAME: definition.name, VERSION: chart.version, FILES: files },
      contacts: this.args.contacts,
      connectSeconds: this.args.connectSeconds,
    };
    // No delete: with a CRD every object of its kind goes, in every namespace.
    const script = {
      script: crdScript,
      privateKey: this.args.privateKey,
      secrets: { SERVER_CA: this.args.serverAuthority },
      lock: `hybrid-k3s-crds-${definition.name}`,
      create: action,
      update: action,
      limitSeconds: CRD_SECONDS,
    };
    const options = { parent: this, dependsOn: [...this.args.memberships], deletedWith: this.args.anchor };
    return [stationScript(`${this.name}-crds`, script, options)];
  }

  private makeNamespace(after: readonly pulumi.Resource[]): pulumi.Resource[] {
    const { namespace, podSecurity } = this.args.definition;
    if (podSecurity === "existing") return [];
    const labels = { "pod-security.kubernetes.io/enforce": podSecurity };
    return [
      new kubernetes.core.v1.Namespace(
        `${this.name}-namespace`,
        { metadata: { name: namespace, labels } },
        this.inCluster(after),
      ),
    ];
  }

  private makeSecrets(after: readonly pulumi.Resource[]) {
    const { definition, topology, settings } = this.args;
    const made = (definition.secrets?.(topology, settings as never) ?? []).map((secret) =>
      releaseSecret(`${this.name}-${secret.name}`, secret, {
        namespace: definition.namespace,
        parent: this,
        options: this.inCluster(after),
      }),
    );
    const { podAnnotations } = definition;
    return {
      resources: made.map(({ resource }) => resource),
      values: made.length > 0 && podAnnotations ? podAnnotations(revisionOf(this.name, made, this)) : {},
      publicKeys: Object.assign({}, ...made.map(({ publicKeys }) => publicKeys)) as HelmRelease["publicKeys"],
    };
  }

  private installChart(after: readonly pulumi.Resource[], secretValues: Values): pulumi.Resource[] {
    const { definition, chart, secret, topology, settings, userValues } = this.args;
    if (chart === undefined) return [];
    const values = mergeValues(definition.values(topology, settings as never), secretValues, userValues);
    const { timeoutSeconds } = definition;
    return [
      new kubernetes.helm.v3.Release(
        this.name,
        {
          name: definition.name,
          namespace: definition.namespace,
          ...sourceOf(chart),
          version: chart.version,
          values: secret ? pulumi.secret(values) : values,
          timeout: timeoutSeconds,
          // CRDs stand on their own; the chart's copy would be installed once and never upgraded.
          skipCrds: chart.crds.length > 0,
        },
        {
          ...this.inCluster(after),
          // `deletedWith` counts most here: a Release cannot be deleted while its cluster does not answer.
          // https://github.com/pulumi/pulumi-kubernetes/blob/v4.34.2/provider/pkg/provider/provider.go
          customTimeouts: { create: `${timeoutSeconds + 60}s`, update: `${timeoutSeconds + 60}s` },
          hooks: recoveryHooks(this.name, definition, this.args.kubeconfig, this.args.releaseAid),
        },
      ),
    ];
  }

  private makeObjects(after: readonly pulumi.Resource[]): pulumi.Resource[] {
    const { definition, topology, settings, secret } = this.args;
    return (definition.objects?.(topology, settings as never) ?? []).map((manifest) =>
      manifestObject(
        `${this.name}-${manifest.kind.toLowerCase()}-${manifest.metadata.name}`,
        // Of the inputs, not of the outputs alone: the engine keeps and shows both.
        secret ? secretManifest(manifest) : manifest,
        {
          ...this.inCluster(after),
          // One that something holds back keeps the whole update waiting.
          customTimeouts: { delete: `${definition.timeoutSeconds}s` },
        },
      ),
    );
  }
}

/** A chart of an OCI registry is named by its address alone. */
const sourceOf = ({ repository, chart }: ChartPin) =>
  repository.startsWith("oci://")
    ? { chart: `${repository}/${chart}` }
    : { chart, repositoryOpts: { repo: repository } };
