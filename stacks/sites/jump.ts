import type { Machine, SshHop, SshTarget } from "../../components/machine.ts";
import { present } from "../../components/present.ts";
import type { JumpSettings, SshSettings } from "./existing-settings.ts";
import type { SiteContext } from "./site-context.ts";

/** A machine as a host in between. Its own jump host is none: cross-checks refuse a chain. */
function throughMachine({ ssh: { host, port, user, hostKey } }: Machine): SshHop {
  return { host, port, user, hostKey };
}

const hopOf = (jump: JumpSettings | undefined, context: SiteContext): SshHop | undefined =>
  jump !== undefined && "machine" in jump ? throughMachine(context.machine(jump.machine)) : jump;

/** How a host is reached, with the machine in between looked up where the settings name one. */
export const targetOf = ({ jump, ...ssh }: SshSettings, context: SiteContext): SshTarget =>
  present({ ...ssh, jump: hopOf(jump, context) });
