import type { RegionSettings } from "../stacks/region-settings.ts";
import type { ExistingMachineSettings, HopSettings } from "../stacks/sites/existing-settings.ts";
import { keyWords } from "./world/host.ts";
import { endpointOf, type World } from "./world/world.ts";

const otherHost = (world: World, hop: HopSettings): void => {
  world.addHost({
    name: `${hop.host}:${hop.port}`,
    endpoint: endpointOf(hop.host, hop.port),
    address: hop.host,
    network: "other hosts",
    hostKey: keyWords(hop.hostKey),
  });
};

const machine = (world: World, region: string, { name, address, ssh }: ExistingMachineSettings): void => {
  const { host, port, hostKey, jump } = ssh;
  // A machine that is a jump host comes into the world when it is made; who comes through it is found by name then.
  const through = jump === undefined ? undefined : "machine" in jump ? { host: jump.machine, port: 0 } : jump;
  if (jump !== undefined && !("machine" in jump)) otherHost(world, jump);
  world.addHost({
    name,
    endpoint: endpointOf(host, port, through),
    address,
    network: region,
    hostKey: keyWords(hostKey),
  });
};

/** Groups of people that NetBird has, whoever made them. */
function operatorsOf({ mesh }: World, { mesh: settings }: RegionSettings): void {
  if (settings.provider !== "netbird") return;
  const known = new Set([...mesh.netbird.groups.values()].map(({ name }) => name));
  for (const name of settings.operators) if (!known.has(name)) mesh.netbird.addGroup(name);
}

/**
 * Puts every host that the settings name and that is not made by an update into the world, alive and empty, and the groups
 * of people that they name; what is there stays as it is.
 */
export function populate(world: World, settings: RegionSettings): void {
  operatorsOf(world, settings);
  for (const site of settings.sites) {
    if (site.provider === "existing") for (const host of site.machines) machine(world, settings.region, host);
    // The VMs come when they are made; the computer that runs them is there.
    if (site.provider === "lima" && site.host !== undefined) otherHost(world, site.host);
  }
}
