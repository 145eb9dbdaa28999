import * as pulumi from "@pulumi/pulumi";
import type { PrepareHost } from "../components/k3s/node.ts";
import type { Mesh } from "../components/mesh/mesh.ts";
import { hostFirewalls, type HostFirewallsArgs } from "./host-firewall.ts";

/** What a region's nodes bring to their hosts is made from. */
export interface PreparationArgs extends HostFirewallsArgs {
  /** @default no mesh */
  readonly mesh?: Pick<Mesh, "interface" | "port" | "converge">;
}

/** One after the other; what each installs counts for the mark. */
const inTurn =
  (steps: readonly PrepareHost[]): PrepareHost =>
  (machine, options) => {
    const resources: pulumi.Resource[] = [];
    const marks: string[] = [];
    for (const step of steps) {
      const done = step(machine, pulumi.mergeOptions(options, { dependsOn: [...resources] }));
      resources.push(...done.resources);
      marks.push(done.mark);
    }
    return { resources, mark: marks.join("\n") };
  };

/**
 * What a node's turn brings to its host before k3s: the mesh's client, and then the firewall, which lets the mesh in.
 * @returns an argument of the cluster; nothing where there is neither
 */
export function preparation(args: PreparationArgs): { readonly prepare?: PrepareHost } {
  const { mesh } = args;
  const client: PrepareHost | undefined = mesh && ((machine, options) => mesh.converge(machine, options));
  const steps = [client, hostFirewalls(args)].filter((step) => step !== undefined);
  return steps.length === 0 ? {} : { prepare: inTurn(steps) };
}
