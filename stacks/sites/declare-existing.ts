import { ExistingSite } from "../../components/existing/site.ts";
import type { Machine, SshHop, SshTarget } from "../../components/machine.ts";
import { present } from "../settings/zod-problems.ts";
import type { ExistingSiteSettings, JumpSettings, SshSettings } from "./existing-settings.ts";
import type { SiteContext } from "./site-context.ts";

/** A machine as a host in between. Its own jump host is none: cross-checks refuse a chain. */
function throughMachine({ ssh: { host, port, user, hostKey } }: Machine): SshHop {
  return { host, port, user, hostKey };
}

const hopOf = (jump: JumpSettings | undefined, context: SiteContext): SshHop | undefined =>
  jump !== undefined && "machine" in jump ? throughMachine(context.machine(jump.machine)) : jump;

const targetOf = ({ jump, ...ssh }: SshSettings, context: SiteContext): SshTarget =>
  present({ ...ssh, jump: hopOf(jump, context) });

/** Declares a site whose hosts stand already. */
export function declareExistingSite(site: ExistingSiteSettings, context: SiteContext): readonly Machine[] {
  const { machines } = new ExistingSite(`${context.region}-${site.name}`, {
    region: context.region,
    hosts: site.machines.map(({ address, ssh, ...spec }) => ({
      spec,
      address,
      ssh: targetOf(ssh, context),
      reach: JSON.stringify([address, ssh]),
    })),
    privateKey: context.login.privateKey,
    connectSeconds: context.connectSeconds,
  });
  return machines;
}
