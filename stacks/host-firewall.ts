import * as pulumi from "@pulumi/pulumi";
import type { LoginKey } from "../components/bootstrap/login-key.ts";
import { hostFirewall } from "../components/firewall/host-firewall.ts";
import { digest } from "../components/host/script-file.ts";
import type { PrepareHost } from "../components/k3s/node.ts";
import type { Machine } from "../components/machine.ts";
import { hostRules, type HostRulesArgs } from "./host-rules.ts";

/** What the firewalls of a region's hosts are declared from. */
export interface HostFirewallsArgs extends HostRulesArgs {
  /** The key that all machines take. */
  readonly login: Pick<LoginKey, "privateKey" | "previous">;
}

/**
 * Declares the firewall of a node's host, in the node's turn and before its k3s.
 * @returns undefined where the settings have none
 */
export function hostFirewalls(args: HostFirewallsArgs): PrepareHost | undefined {
  const { settings, login } = args;
  if (!settings.hostFirewall.enabled) return undefined;
  const stays = ({ spec }: Machine): boolean =>
    settings.sites.find(({ name }) => name === spec.site)?.provider === "existing";
  return (machine, options) => {
    const rules = hostRules(args, machine.spec);
    if (rules === undefined) return { resources: [], mark: "" };
    const resource = hostFirewall(
      `${machine.spec.name}-firewall`,
      {
        spec: machine.spec,
        rules,
        ssh: machine.ssh,
        login,
        triggers: [machine.id],
        connectSeconds: settings.kubernetes.connectSeconds,
      },
      // A host that stays is given back without our rules; any other takes them with it.
      stays(machine) ? options : pulumi.mergeOptions(options, { deletedWith: machine.resource }),
    );
    // A rule that is wrong cuts the node off: the next node's turn comes once this one is Ready with it.
    return { resources: [resource], mark: digest(rules) };
  };
}
