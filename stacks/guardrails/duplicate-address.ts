import type { RegionSettings } from "../region-settings.ts";
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
  same: (machine: ExistingMachineSettings, other: ExistingMachineSettings) => boolean,
  describe: (machine: ExistingMachineSettings, first: ExistingMachineSettings) => Rule & { readonly found: string },
): string[] {
  return machines.flatMap((machine) => {
    const first = machines.find((other) => same(machine, other));
    if (first === undefined || first === machine) return [];
    const { found, ...rule } = describe(machine, first);
    return [problemText(machinePath(machine), found, rule)];
  });
}

/**
 * Whether two machines with one address are in each other's way. A site whose nodes have addresses in the mesh keeps its
 * LAN to itself; the address of any other node must be nobody's: who has it too would answer itself in its place.
 */
function oneAddress({ mesh, sites }: RegionSettings) {
  const apart = new Set(
    sites.filter(({ nodeAddresses }) => mesh.provider !== "none" && nodeAddresses === "mesh").map(({ name }) => name),
  );
  return (one: ExistingMachineSettings, other: ExistingMachineSettings): boolean =>
    one.address === other.address && (one.site === other.site || !apart.has(one.site) || !apart.has(other.site));
}

/** No two machines have one address, and none is reached at one SSH endpoint. */
export const duplicateAddress: Guardrail = {
  id: "duplicate-address",
  reason: "two machines at one address are one host: the second would be installed over the first",
  severity: "refuse",
  check: (settings) => {
    const machines = machinesOf(settings).filter((machine) => "address" in machine);
    const same = oneAddress(settings);
    const addresses = shared(machines, same, ({ address, site }, first) => ({
      found: `address ${address}, which ${first.name} has`,
      ...(site === first.site
        ? {
            allowed: "each address once",
            fix: "correct one of the two, or remove the machine that is listed twice",
          }
        : {
            allowed: "each address once, but for two sites that both have nodeAddresses: mesh",
            fix: `give one of the two hosts another address: what is sent to ${first.name} would never leave this one`,
          }),
    }));
    // One line per pair: where the addresses are the same already, the SSH server nearly always is too.
    const alone = machines.filter((machine) => machines.find((other) => same(machine, other)) === machine);
    const servers = shared(
      alone,
      (machine, other) => sshPlace(machine) === sshPlace(other),
      (machine, first) => ({
        found: `SSH at ${sshPlace(machine)}, where ${first.name} is reached`,
        allowed: "each SSH host and port once in a region",
        fix: "correct sshAddress, port or jump of one of the two",
      }),
    );
    return [...addresses, ...servers];
  },
};
