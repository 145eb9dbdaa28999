import * as pulumi from "@pulumi/pulumi";
import { certManager } from "./cert-manager.ts";
import type { ChartPin, ReleaseDefinition } from "./definition.ts";
import { HelmRelease, type PlatformSurroundings } from "./helm-release.ts";

const TYPE = "hybrid-k3s:platform:Platform";

/** One release that a region wants. */
export interface WantedRelease {
  readonly name: string;
  /** The release's own settings, parsed. */
  readonly settings: unknown;
  /** The user's own Helm values, merged last. */
  readonly userValues: Readonly<Record<string, unknown>>;
  /** Whether they hold a secret. */
  readonly secretValues: boolean;
  readonly chart: ChartPin;
}

/** Arguments of {@link Platform}. */
export interface PlatformArgs extends PlatformSurroundings {
  readonly releases: readonly WantedRelease[];
}

/** Every release that this version knows. A further one is its own file and a line here. */
export const CATALOGUE: readonly ReleaseDefinition<never>[] = [certManager];

/** The Helm releases of a region, in the order that they need each other. */
export class Platform extends pulumi.ComponentResource {
  /** Each exists when its chart's objects are ready. */
  readonly releases: readonly pulumi.Resource[];

  constructor(name: string, args: PlatformArgs, options?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, options);
    const made = new Map<string, pulumi.Resource>();
    for (const definition of CATALOGUE) {
      const wanted = args.releases.find((release) => release.name === definition.name);
      if (wanted === undefined) continue;
      const after = definition.needs.flatMap((need) => made.get(need) ?? []);
      const release = new HelmRelease(
        `${name}-${definition.name}`,
        { ...args, ...wanted, definition, settings: wanted.settings as never, after },
        { parent: this },
      );
      made.set(definition.name, release.release);
    }
    this.releases = [...made.values()];
    this.registerOutputs({});
  }
}
