import * as pulumi from "@pulumi/pulumi";
import type { MachineSpec } from "./machine.ts";

/** A create-time setting as the settings write it: what they say, and what the machine that stands has. Empty: nothing. */
export interface CreateTimeSetting {
  readonly wanted: string;
  /** As the provider reports it; unknown while the machine is to be made. */
  readonly actual: pulumi.Input<string>;
}

/**
 * Says in previews and updates that something stands otherwise than the settings say, and stays so.
 * @param say the line, given what was found
 */
export function noteDifference<Value extends string | number>(
  actual: pulumi.Input<Value>,
  wanted: Value,
  say: (found: Value) => string,
  resource: pulumi.Resource,
): void {
  const output: pulumi.Output<Value> = pulumi.output(actual) as pulumi.Output<Value>;
  output.apply((found) => {
    if (found !== wanted) void pulumi.log.warn(say(found), resource);
  });
}

/**
 * Says which settings wait for the machine's next generation: they count only when a machine is made, and a changed text
 * in a file must never cost a machine.
 * @param settings by the setting's name, such as `bundle`
 */
export function noteWaiting(
  spec: MachineSpec,
  settings: Readonly<Record<string, CreateTimeSetting>>,
  resource: pulumi.Resource,
): void {
  for (const [name, { wanted, actual }] of Object.entries(settings)) {
    const say = (found: string): string => {
      const back = found === "" ? `take ${name} out of the settings again` : `write ${found} again`;
      return `${spec.name}.${name}: the machine has ${found || "none"}, and the settings say ${wanted || "none"} · it stays as it is until its next generation · fix: set generation: ${spec.generation + 1} to replace the machine, or ${back}`;
    };
    noteDifference(actual, wanted, say, resource);
  }
}
