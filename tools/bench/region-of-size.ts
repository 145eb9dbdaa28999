import { stringify } from "yaml";

/** A host key in the right form; nobody holds its private half. */
const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIELsrYm9RDt+moyb03IAc6d4CYoLQ8UjXEpBZAjA8FgB";

/** Settings of a region with three servers and as many agents as make up the size, as the text of a stack file. */
export function stackOfSize(nodes: number): string {
  const machines = (from: number, count: number, name: string) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `${name}-${index}`,
        { address: `10.20.${Math.floor((from + index) / 250)}.${((from + index) % 250) + 1}`, hostKey: HOST_KEY },
      ]),
    );
  const pools = {
    control: { role: "server", machines: machines(0, 3, "server") },
    workers: { role: "agent", machines: machines(3, nodes - 3, "agent") },
  };
  return stringify({
    config: {
      "hybrid-k3s:region": "bench",
      "hybrid-k3s:kubernetes": { version: "v1.36.3+k3s1" },
      "hybrid-k3s:sites": { rack: { provider: "existing", lan: "10.20.0.0/16", pools } },
    },
  });
}

/** An address plan with a pod range that holds a thousand nodes. */
export const BENCH_REGIONS = stringify({ regions: { bench: { id: 63, pods: "10.128.0.0/14" } } });
