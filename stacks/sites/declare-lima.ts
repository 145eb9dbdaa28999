import { LimaSite } from "../../components/lima/site.ts";
import type { Machine } from "../../components/machine.ts";
import type { LimaMachineSettings, LimaSiteSettings } from "./lima-settings.ts";
import { targetOf } from "./jump.ts";
import type { SiteContext } from "./site-context.ts";

const machineOf = (settings: LimaMachineSettings) => {
  const { image, cpus, memoryGiB, diskGiB, dataGiB, deleteData, sshPort, ...spec } = settings;
  return {
    spec,
    ...{ image, cpus, memoryGiB, diskGiB, deleteData, sshPort },
    ...(dataGiB === undefined ? {} : { dataGiB }),
  };
};

/** Declares a site of Lima VMs. */
export const declareLimaSite = (site: LimaSiteSettings, context: SiteContext): readonly Machine[] =>
  new LimaSite(`${context.region}-${site.name}`, {
    region: context.region,
    ...(site.host === undefined ? {} : { host: targetOf(site.host, context) }),
    hostSystem: site.hostSystem,
    network: site.network,
    autostart: site.autostart,
    machines: site.machines.map(machineOf),
    login: context.login,
    connectSeconds: context.connectSeconds,
    drainSeconds: context.drainSeconds,
    contacts: context.contacts,
    shapes: context.shapes,
  }).machines;
