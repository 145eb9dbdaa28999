import { describe, expect, it } from "vitest";
import { kubeconfigFromState } from "../../tools/kubeconfig/kubeconfig-from-state.ts";

const state = (resources: unknown): string => JSON.stringify({ version: 3, deployment: { resources } });
const provider = (kubeconfig: unknown) => ({ type: "pulumi:providers:kubernetes", inputs: { kubeconfig } });
const secret = (text: string) => ({ "4dabf18193072939515e22adb298388d": "x", plaintext: JSON.stringify(text) });

describe("the kubeconfig of a stack", () => {
  it("is read from the provider in the state, where it is a secret", () => {
    expect(kubeconfigFromState(state([{ type: "other" }, provider(secret("apiVersion: v1\n"))]))).toBe(
      "apiVersion: v1\n",
    );
  });

  it.each([
    ["a stack without resources", state(undefined)],
    ["a stack without a cluster", state([{ type: "other" }])],
    ["an empty kubeconfig", state([provider(secret(""))])],
  ])("is refused for %s, with the fix", (_, exported) => {
    expect(() => kubeconfigFromState(exported)).toThrow(
      "found no cluster in the stack's state · fix: pulumi up first, or name another stack",
    );
  });
});
