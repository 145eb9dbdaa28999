import * as pulumi from "@pulumi/pulumi";
import { HelmRelease, type PlatformSurroundings, type WantedRelease } from "./helm-release.ts";

const TYPE = "hybrid-k3s:platform:Platform";

/** Arguments of {@link Platform}. */
export interface PlatformArgs extends PlatformSurroundings {
  /** In the catalogue's order: each after what it needs. */
  readonly releases: readonly WantedRelease[];
}

/** The Helm releases of a region, in the order that they need each other. */
export class Platform extends pulumi.ComponentResource {
  /** Each exists when what its release consists of is ready. */
  readonly resources: readonly pulumi.Resource[];
  /** Public halves of the keys that the stack made for releases, by `<release>/<secret>/<key>`. */
  readonly publicKeys: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: PlatformArgs, options?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, options);
    const made = new Map<string, HelmRelease>();
    for (const wanted of args.releases) {
      const { definition } = wanted;
      const before = [...(definition.needs?.(wanted.settings as never) ?? []), ...(definition.after ?? [])];
      const after = before.flatMap((other) => made.get(other)?.resources ?? []);
      made.set(
        definition.name,
        new HelmRelease(`${name}-${definition.name}`, { ...args, ...wanted, after }, { parent: this }),
      );
    }
    this.resources = [...made.values()].flatMap(({ resources }) => resources);
    this.publicKeys = Object.fromEntries(
      [...made].flatMap(([release, { publicKeys }]) =>
        Object.entries(publicKeys).map(([key, value]) => [`${release}/${key}`, value]),
      ),
    );
    this.registerOutputs({});
  }
}
