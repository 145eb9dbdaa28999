import type * as pulumi from "@pulumi/pulumi";
import type { MachineSpec } from "./machine.ts";

/** Changes exactly when a machine's host is to be made anew: another role is another life of it, as another generation is. */
export const lifeOf = ({ generation, role }: MachineSpec): string => `${generation} ${role}`;

/** Options of what ends with a host and is made again with the next one. */
export const boundTo = (spec: MachineSpec, host: pulumi.Resource): pulumi.CustomResourceOptions => ({
  replacementTrigger: lifeOf(spec),
  deleteBeforeReplace: true,
  deletedWith: host,
});
