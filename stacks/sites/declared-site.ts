import type * as pulumi from "@pulumi/pulumi";
import type { Machine } from "../../components/machine.ts";

/** What a site yields. */
export interface DeclaredSite {
  readonly machines: readonly Machine[];
  /** Public address of what takes requests in front of its machines. @default they take them themselves, if at all */
  readonly ingressAddress?: pulumi.Output<string>;
}
