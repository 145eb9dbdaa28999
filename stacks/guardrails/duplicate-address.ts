import { problemText } from "../settings/problem.ts";
import { type Rule } from "../../components/strict-schema.ts";
import type { ExistingMachineSettings } from "../sites/existing-settings.ts";
import { type Guardrail, machinePath, machinesOf } from "./guardrail.ts";

/** The SSH server that a machine is reached at. Behind another jump host, the same address is another server. */
function sshPlace({ ssh: { host, port, jump } }: ExistingMachineSettings): string {
  const through =
    jump === undefined ? "" : ` through ${"machine" in jump ? jump.machine : `${jump.host}:${jump.port}`}`;
  return `${host}:${port}${through}`;
}

function shared(
  machines: readonly ExistingMachineSettings[],
  valueOf: (machine: ExistingMachineSettings) => string,
  describe: (value: string, first: ExistingMachineSettings) => Rule & { readonly found: string },
): string[] {
  const firsts = new Map<string, ExistingMachineSettings>();
  return machines.flatMap((machine) => {
    const value = valueOf(machine);
    const first = firsts.get(value);
    if (first === undefined) {
      firsts.set(value, machine);
      return [];
    }
    const { found, ...rule } = describe(value, first);
    return [problemText(machinePath(machine), found, rule)];
  });
}

/** No two machines have one address, and none is reached at one SSH endpoint. */
export const duplicateAddress: Guardrail = {
  id: "duplicate-address",
  reason: "two machines at one address are one host: the second would be installed over the first",
  severity: "refuse",
  check: (settings) => {
    const machines = machinesOf(settings).filter((machine) => "address" in machine);
    // In a mesh two sites may share a LAN range, and then an address: lan-overlap knows under which conditions.
    const meshed = settings.mesh.provider !== "none";
    const addresses = shared(
      machines,
      ({ address, site }) => (meshed ? `${address} on ${site}` : address),
      (value, first) => ({
        found: `address ${value}, which ${first.name} has`,
        allowed: `each address once in a ${meshed ? "site" : "region"}`,
        fix: "correct one of the two, or remove the machine that is listed twice",
      }),
    );
    // One line per pair: where the addresses are the same already, the SSH server nearly always is too.
    const apart = machines.filter(
      ({ name, address, site }) =>
        machines.find((other) => other.address === address && (!meshed || other.site === site))?.name === name,
    );
    const servers = shared(apart, sshPlace, (value, first) => ({
      found: `SSH at ${value}, where ${first.name} is reached`,
      allowed: "each SSH host and port once in a region",
      fix: "correct sshAddress, port or jump of one of the two",
    }));
    return [...addresses, ...servers];
  },
};
