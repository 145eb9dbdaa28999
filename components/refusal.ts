import * as pulumi from "@pulumi/pulumi";

/**
 * An error for people, thrown inside an `apply`: its text is all that is shown.
 *
 * The SDK puts the name of every property that an error passes through in front of its text, and it passes through all
 * that depends on the output (https://github.com/pulumi/pulumi/blob/v3.259.0/sdk/nodejs/runtime/rpc.ts): two lines of
 * property names before the first word that helps. So this one's text cannot be changed.
 */
export class Refusal extends pulumi.RunError {
  constructor(text: string) {
    super(text);
    Object.defineProperty(this, "message", { get: () => text, set: () => undefined });
  }
}
