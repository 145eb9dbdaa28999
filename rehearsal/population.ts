import type { SshHop, SshTarget } from "../components/machine.ts";
import type { RegionSettings } from "../stacks/region-settings.ts";
import { endpointOf } from "./commands/simulated.ts";
import { keyWords } from "./world/host.ts";
import type { World } from "./world/world.ts";

const jumpHost = (world: World, hop: SshHop): void => {
  world.addHost({
    name: `${hop.host}:${hop.port}`,
    endpoint: endpointOf(hop.host, hop.port),
    address: hop.host,
    network: "jump hosts",
    hostKey: keyWords(hop.hostKey),
  });
};

const machine = (world: World, region: string, name: string, address: string, ssh: SshTarget): void => {
  if (ssh.jump !== undefined) jumpHost(world, ssh.jump);
  world.addHost({
    name,
    endpoint: endpointOf(ssh.host, ssh.port, ssh.jump),
    address,
    network: region,
    hostKey: keyWords(ssh.hostKey),
  });
};

/** Puts every existing host that the settings name into the world, alive and empty; hosts that are there stay as they are. */
export function populate(world: World, settings: RegionSettings): void {
  for (const site of settings.sites) {
    for (const { name, address, ssh } of site.machines) machine(world, settings.region, name, address, ssh);
  }
}
