import { z } from "zod";

const PROVIDER = "pulumi:providers:kubernetes";

/** A secret as `pulumi stack export --show-secrets` writes it: its plain text is JSON again. */
const shownSecret = z.object({ plaintext: z.string() });
const stateFile = z.object({
  deployment: z.object({
    resources: z.array(z.object({ type: z.string(), inputs: z.record(z.string(), z.unknown()).optional() })).optional(),
  }),
});

/**
 * Finds the administrator's kubeconfig in an exported state.
 * @param exported what `pulumi stack export --show-secrets` printed
 * @throws Error with the fix, if the stack has no cluster
 */
export function kubeconfigFromState(exported: string): string {
  const { deployment } = stateFile.parse(JSON.parse(exported));
  const provider = (deployment.resources ?? []).find(({ type }) => type === PROVIDER);
  const value = provider?.inputs?.["kubeconfig"];
  const shown = shownSecret.safeParse(value);
  const text = shown.success ? (JSON.parse(shown.data.plaintext) as unknown) : value;
  if (typeof text === "string" && text.trim() !== "") return text;
  throw new Error("found no cluster in the stack's state · fix: pulumi up first, or name another stack");
}
