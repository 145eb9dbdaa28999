import * as pulumi from "@pulumi/pulumi";
import type { MachineSpec } from "./machine.ts";

/** A create-time setting: what the settings say, and what the machine that stands has. */
export interface CreateTimeSetting {
  readonly wanted: string;
  /** As the provider reports it; unknown while the machine is to be made. */
  readonly actual: pulumi.Input<string>;
}

/**
 * Says in previews and updates which settings wait for the machine's next generation: they count only when a machine is
 * made, and a changed text in a file must never cost a machine.
 * @param settings by the setting's name, such as `bundle`
 */
export function noteWaiting(
  spec: MachineSpec,
  settings: Readonly<Record<string, CreateTimeSetting>>,
  resource: pulumi.Resource,
): void {
  for (const [name, { wanted, actual }] of Object.entries(settings)) {
    pulumi.output(actual).apply((found) => {
      if (found === wanted) return;
      void pulumi.log.warn(
        `${spec.name}.${name}: the machine has ${found || "none"}, and the settings say ${wanted || "none"} · it stays as it is until its next generation · fix: set generation: ${spec.generation + 1} to replace the machine, or write ${found || "none"} again`,
        resource,
      );
    });
  }
}
