import type { MachineSpec } from "../../components/machine.ts";
import { present } from "../../components/present.ts";

/** A kind's machine as the settings have it: what it is and what the kind needs, side by side. */
export type MachineSettingsOf<Made extends { readonly spec: MachineSpec }> = MachineSpec & Omit<Made, "spec">;

/** A machine as its component takes it: what every machine is stands apart from what its kind needs. */
export function asMachine<Made extends { readonly spec: MachineSpec }>(settings: MachineSettingsOf<Made>): Made {
  const { name, role, site, pool, zone, generation, labels, taints, intermittent, relay, publicPorts, ...own } =
    settings;
  const spec = present({ name, role, site, pool, zone, generation, labels, taints, intermittent, relay, publicPorts });
  // The compiler does not put back together what it took apart.
  return { ...own, spec } as unknown as Made;
}
